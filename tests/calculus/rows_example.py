"""Rows of the first primitives, until their family's own module takes them."""

import numpy as np

from aino.autograd.rules import elementwise
from tests.calculus.row import Row, case, nonzero, positive, real

ROWS = [
    Row("add", elementwise.add, np.add, [case(real(3, 4), real(4))], complex=True),
    Row("sub", elementwise.sub, np.subtract, [case(real(3, 4), real(4))], complex=True),
    Row("mul", elementwise.mul, np.multiply, [case(real(3, 4), real(4))], complex=True),
    Row("div", elementwise.div, np.divide, [case(real(3, 4), nonzero(4))], complex=True),
    Row("neg", elementwise.neg, np.negative, [case(real(3, 4))], complex=True),
    Row("exp", elementwise.exp, np.exp, [case(real(3, 4))], complex=True),
    Row("log", elementwise.log, np.log, [case(positive(3, 4))], complex=True),
]
