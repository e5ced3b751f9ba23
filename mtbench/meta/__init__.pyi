from .captured_chains import ChainResult as ChainResult
from .captured_chains import format_chains as format_chains
from .captured_chains import order_captured as order_captured
from .report import make_report as make_report
from .report import write_report as write_report
from .report_data import Report as Report
from .runs import run_systems as run_systems
from .scores import MetaScores as MetaScores
