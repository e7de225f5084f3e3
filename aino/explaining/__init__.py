"""Explanations in words, formulas and numbers: ``aino.explain``."""

from aino.explaining.explain import explain
from aino.explaining.explanation import Explanation
