from .released import import_released as import_released
from .released import load_released as load_released
