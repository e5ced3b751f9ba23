from .ablation import DEFAULT_VARIANTS as DEFAULT_VARIANTS
from .ablation import ablate as ablate
