"""scikit-learn's estimators over AINO's networks; they need the extra ``sklearn``."""

from functools import partial

from aino.estimators.scikit_learn import files
from aino.estimators.scikit_learn.classifier import AinoClassifier
from aino.estimators.scikit_learn.regressor import AinoRegressor

estimator_of = partial(files.estimator_of, classes=[AinoClassifier, AinoRegressor])
