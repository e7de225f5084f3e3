"""scikit-learn's estimators over AINO's networks; they need the extra ``sklearn``."""

from aino.estimators.scikit_learn.classifier import AinoClassifier
from aino.estimators.scikit_learn.regressor import AinoRegressor
