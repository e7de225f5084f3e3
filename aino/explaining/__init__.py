"""Explanations in words, formulas and numbers: ``aino.explain`` and ``aino.summary``."""

from aino.explaining.explain import explain
from aino.explaining.explanation import Explanation
from aino.explaining.summary import summary
