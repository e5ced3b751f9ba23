from .base import Hypothesis as Hypothesis
from .base import Recognizer as Recognizer
from .base import cache_identity as cache_identity
from .base import identify as identify
from .base import transcribe_checked as transcribe_checked
from .registry import keep_recognizer as keep_recognizer
from .registry import kept_recognizer as kept_recognizer
from .registry import load_recognizer as load_recognizer
