"""Drawings of computations and networks: ``aino.draw``."""

from aino.drawing.draw import draw
from aino.drawing.picture import Drawing
