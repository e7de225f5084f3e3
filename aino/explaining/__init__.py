"""Explanations in words, formulas and numbers: ``aino.explain`` and ``aino.summary``."""
