"""Training: a trainer, its loop, the callbacks that watch it, and the history of its epochs."""

from aino.train import metrics as metrics
from aino.train.callbacks import Callback as Callback
from aino.train.history import History as History
from aino.train.loop import Loop as Loop
from aino.train.trainer import Trainer as Trainer
