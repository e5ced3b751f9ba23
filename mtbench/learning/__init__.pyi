from .averaging import Averaging as Averaging
from .processes import Processes as Processes
from .recipe import Recipe as Recipe
from .recipe import RunSettings as RunSettings
from .run import TrainingRun as TrainingRun
from .schedule import Schedule as Schedule
from .schedule import Shape as Shape
