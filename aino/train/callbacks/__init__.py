"""What is told of a training: saves it, stops it, writes its numbers down."""

from aino.train.callbacks.callback import Callback as Callback
