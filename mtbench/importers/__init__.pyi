from .base import FoundMotion as FoundMotion
from .base import Importer as Importer
from .base import ImportOptions as ImportOptions
from .importing import Imported as Imported
from .importing import import_submission as import_submission
from .registry import IMPORTERS as IMPORTERS
from .registry import load_importer as load_importer
