from .checkpoints import Checkpoint as Checkpoint
from .checkpoints import read_checkpoint as read_checkpoint
from .filterbank import compute_filterbank as compute_filterbank
from .filterbank import stack_filterbank as stack_filterbank
from .loading import load_avhubert as load_avhubert
from .recognition import AVHubert as AVHubert
from .vocabulary import SPECIAL as SPECIAL
from .vocabulary import load_sentencepiece as load_sentencepiece
