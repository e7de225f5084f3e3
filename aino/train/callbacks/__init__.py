"""What is told of a training: saves it, stops it, writes its numbers down."""

from aino.train.callbacks.callback import Callback as Callback
from aino.train.callbacks.checkpoint import Checkpoint as Checkpoint
from aino.train.callbacks.csv_logger import CSVLogger as CSVLogger
from aino.train.callbacks.early_stopping import EarlyStopping as EarlyStopping
from aino.train.callbacks.gradient_watch import GradientWatch as GradientWatch
from aino.train.callbacks.schedule import Schedule as Schedule
from aino.train.callbacks.tensor_board import TensorBoard as TensorBoard
