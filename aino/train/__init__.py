"""Training: a trainer, its loop, the callbacks that watch it, and the history of its epochs."""

from aino.train import metrics as metrics
from aino.train.callbacks import Callback as Callback
from aino.train.callbacks import Checkpoint as Checkpoint
from aino.train.callbacks import CSVLogger as CSVLogger
from aino.train.callbacks import EarlyStopping as EarlyStopping
from aino.train.callbacks import GradientWatch as GradientWatch
from aino.train.callbacks import Schedule as Schedule
from aino.train.callbacks import TensorBoard as TensorBoard
from aino.train.history import History as History
from aino.train.loop import Loop as Loop
from aino.train.lr_finder import LearningRates as LearningRates
from aino.train.trainer import Trainer as Trainer
