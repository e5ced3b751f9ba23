from .error_table import evaluate as evaluate
from .lexicon_report import format_sweep as format_sweep
from .lexicon_report import write_sweep as write_sweep
from .lexicon_sweep import CONDITIONS as CONDITIONS
from .lexicon_sweep import sweep_lexicon as sweep_lexicon
from .model_card import format_summary as format_summary
from .model_card import format_table as format_table
from .model_card import write_model_card as write_model_card
