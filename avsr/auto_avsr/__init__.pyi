from .loading import load_auto_avsr as load_auto_avsr
from .recognition import AutoAVSR as AutoAVSR
from .recognizer import AutoAVSRRecognizer as AutoAVSRRecognizer
from .signals import normalize_mouths as normalize_mouths
from .signals import normalize_sound as normalize_sound
