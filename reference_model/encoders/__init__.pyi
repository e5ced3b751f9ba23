from .registry import load_speech_encoder as load_speech_encoder
from .speech import BUNDLED as BUNDLED
from .speech import BUNDLED_VERSION as BUNDLED_VERSION
from .speech import OpenheadSpeech as OpenheadSpeech
from .speech import SpeechEncoder as SpeechEncoder
from .speech import check_audio as check_audio
from .speech import digest_tensors as digest_tensors
from .wav2vec2 import Wav2Vec2Speech as Wav2Vec2Speech
