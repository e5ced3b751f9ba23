from .entries import BASELINES as BASELINES
from .entries import make_baseline as make_baseline
