"""A row for each distribution of one number: its density, its domain, and what it was asked.

The density is written for mpmath, at any number of digits, and
``python -m tests.distributions.figures`` integrates it to the stored figures. Of each row three
distributions make one batch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import aino


@dataclass(frozen=True)
class Row:
    """One distribution: its class, its parameters, and what is looked at."""

    name: str
    #: The value of each parameter in three distributions.
    parameters: dict[str, list[float]]
    #: The density, or the probability of a whole number: ``density(mp, x, *parameters)``.
    density: Callable[..., Any]
    #: Where it is looked at: a list for all three.
    values: list[float]
    #: From where to where it is integrated, given the parameters: ends and places between.
    domain: Callable[..., list[float]]
    discrete: bool = False
    #: What does not exist, or is not a figure of the density: mean, variance.
    without: tuple[str, ...] = ()
    #: Parameters that stay numbers, in which nothing is differentiated.
    constant: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.name + ("-logits" if "logits" in self.parameters else "")

    def given(self, dtype=np.float64, requires_grad=False) -> dict[str, Any]:
        """The parameters as tensors of shape (3,)."""
        return {
            name: aino.tensor(
                values, dtype=dtype, requires_grad=requires_grad and name not in self.constant
            )
            for name, values in self.parameters.items()
        }

    def make(self, dtype=np.float64, requires_grad=False, **keywords) -> Any:
        """The batch of three distributions."""
        given = self.given(dtype, requires_grad)
        return getattr(aino.distributions, self.name)(**given, **keywords)

    def value(self, dtype=np.float64, requires_grad=False):
        """The values, of shape (number, 1), which is broadcast over the batch."""
        return aino.tensor([[x] for x in self.values], dtype=dtype, requires_grad=requires_grad)


LINE = [-2.5, -0.3, 0.0, 0.4, 1.7, 6.0]
HALF = [0.05, 0.3, 1.0, 2.2, 7.5]
UNIT = [0.02, 0.2, 0.5, 0.77, 0.99]
COUNTS = [0.0, 1.0, 2.0, 3.0]

sigmoid = lambda mp, x: 1 / (1 + mp.exp(-x))  # noqa: E731
line = lambda *p: [-float("inf"), -1, 0, 1, 3, float("inf")]  # noqa: E731
half = lambda *p: [0, 0.1, 1, 3, 10, float("inf")]  # noqa: E731
unit = lambda *p: [0, 0.1, 0.5, 0.9, 1]  # noqa: E731
LOC = {"loc": [0.0, 0.5, -1.0], "scale": [1.0, 2.0, 0.7]}


def normal(mp, x, m, s):
    return mp.exp(-((x - m) ** 2) / (2 * s * s)) / (s * mp.sqrt(2 * mp.pi))


def gamma(mp, x, a, r):
    return r**a * x ** (a - 1) * mp.exp(-r * x) / mp.gamma(a)


def student(mp, x, n, m=0, s=1):
    z = (x - m) / s
    return mp.gamma((n + 1) / 2) / mp.gamma(n / 2) / mp.sqrt(n * mp.pi) / s * (
        1 + z * z / n
    ) ** (-(n + 1) / 2)  # fmt: skip


def fisher(mp, x, m, n):
    return mp.sqrt((m * x) ** m * n**n / (m * x + n) ** (m + n)) / x / mp.beta(m / 2, n / 2)


def binomial(mp, k, n, p):
    return mp.binomial(n, k) * p**k * (1 - p) ** (n - k)


def negative_binomial(mp, k, n, p):
    return mp.gamma(n + k) / mp.gamma(n) / mp.factorial(k) * (1 - p) ** n * p**k


def pareto_general(mp, x, m, s, c):
    z = (x - m) / s
    return (mp.exp(-z) if c == 0 else max(1 + c * z, 0) ** (-1 / c - 1)) / s


def relaxed(mp, x, t, p):
    a = p / (1 - p)
    return t * a * x ** (-t - 1) * (1 - x) ** (-t - 1) / (a * x**-t + (1 - x) ** -t) ** 2


def continuous_bernoulli(mp, x, p):
    c = mp.mpf(2) if p == 0.5 else 2 * mp.atanh(1 - 2 * p) / (1 - 2 * p)
    return c * p**x * (1 - p) ** (1 - x)


ROWS = [
    Row("Bernoulli", {"probs": [0.3, 0.5, 0.9]}, lambda mp, k, p: binomial(mp, k, 1, p),
        [0.0, 1.0], lambda *p: [0, 1], discrete=True),
    Row("Bernoulli", {"logits": [-0.7, 0.0, 3.0]},
        lambda mp, k, x: binomial(mp, k, 1, sigmoid(mp, x)), [0.0, 1.0], lambda *p: [0, 1],
        discrete=True),
    Row("Beta", {"concentration1": [0.7, 2.0, 5.0], "concentration0": [0.6, 3.0, 1.5]},
        lambda mp, x, a, b: x ** (a - 1) * (1 - x) ** (b - 1) / mp.beta(a, b), UNIT, unit),
    Row("Binomial", {"total_count": [5.0, 5.0, 5.0], "probs": [0.3, 0.5, 0.9]}, binomial, COUNTS,
        lambda n, *_: [0, n], discrete=True, constant=("total_count",)),
    Row("Cauchy", LOC, lambda mp, x, m, s: s / mp.pi / ((x - m) ** 2 + s * s), LINE, line,
        without=("mean", "variance")),
    Row("Chi2", {"df": [1.0, 2.5, 6.0]},
        lambda mp, x, n: gamma(mp, x, n / 2, mp.mpf(0.5)), HALF, half),
    Row("ContinuousBernoulli", {"probs": [0.3, 0.4995, 0.95]}, continuous_bernoulli, UNIT, unit),
    Row("Exponential", {"rate": [0.5, 1.0, 3.0]}, lambda mp, x, r: r * mp.exp(-r * x), HALF, half),
    Row("FisherSnedecor", {"df1": [1.5, 4.0, 7.0], "df2": [5.0, 6.5, 9.0]}, fisher, HALF, half),
    Row("Gamma", {"concentration": [0.4, 1.0, 4.5], "rate": [1.0, 0.5, 2.0]}, gamma, HALF, half),
    Row("GeneralizedPareto",
        {"loc": [0.0, 0.0, -1.0], "scale": [1.0, 2.0, 2.5], "concentration": [0.0, 0.3, -0.2]},
        pareto_general, HALF, lambda m, s, c: [m, 0.5, 2, m - s / c if c < 0 else float("inf")]),
    Row("Geometric", {"probs": [0.3, 0.5, 0.9]}, lambda mp, k, p: p * (1 - p) ** k, COUNTS,
        lambda *p: [0, float("inf")], discrete=True),
    Row("Gumbel", LOC, lambda mp, x, m, s: mp.exp(-(x - m) / s - mp.exp(-(x - m) / s)) / s, LINE,
        lambda *p: [-12, -3, 0, 2, 10, float("inf")]),
    Row("HalfCauchy", {"scale": [1.0, 2.0, 0.7]},
        lambda mp, x, s: 2 * s / mp.pi / (x * x + s * s), HALF, half, without=("mean", "variance")),
    Row("HalfNormal", {"scale": [1.0, 2.0, 0.7]},
        lambda mp, x, s: 2 * normal(mp, x, 0, s), HALF, half),
    Row("InverseGamma", {"concentration": [2.5, 4.0, 6.0], "rate": [1.0, 0.5, 2.0]},
        lambda mp, x, a, r: r**a * x ** (-a - 1) * mp.exp(-r / x) / mp.gamma(a), HALF, half),
    Row("Kumaraswamy", {"concentration1": [0.7, 2.0, 5.0], "concentration0": [0.6, 3.0, 1.5]},
        lambda mp, x, a, b: a * b * x ** (a - 1) * (1 - x**a) ** (b - 1), UNIT, unit),
    Row("Laplace", LOC, lambda mp, x, m, s: mp.exp(-abs(x - m) / s) / (2 * s), LINE,
        lambda m, s: sorted([-float("inf"), -1.5, m, 1, 3, float("inf")])),
    Row("LogNormal", {"loc": [0.0, 0.5, -1.0], "scale": [1.0, 0.5, 0.7]},
        lambda mp, x, m, s: normal(mp, mp.log(x), m, s) / x, HALF, half),
    Row("NegativeBinomial", {"total_count": [1.0, 2.5, 6.0], "probs": [0.3, 0.5, 0.2]},
        negative_binomial, COUNTS, lambda *p: [0, float("inf")], discrete=True),
    Row("Normal", LOC, normal, LINE, line),
    Row("Pareto", {"scale": [0.5, 1.0, 0.9], "alpha": [2.5, 4.0, 3.0]},
        lambda mp, x, s, a: a * s**a / x ** (a + 1), [1.01, 1.5, 4.0, 20.0],
        lambda s, a: [s, 2, 5, float("inf")]),
    Row("Poisson", {"rate": [0.5, 2.5, 7.0]},
        lambda mp, k, r: r**k * mp.exp(-r) / mp.factorial(k), COUNTS,
        lambda *p: [0, float("inf")], discrete=True),
    Row("RelaxedBernoulli", {"temperature": [0.5, 1.0, 2.0], "probs": [0.3, 0.5, 0.9]}, relaxed,
        UNIT, unit, without=("mean", "variance")),
    Row("StudentT", {"df": [2.5, 4.0, 9.0], **LOC}, student, LINE, line),
    Row("Uniform", {"low": [-1.0, 0.0, 0.02], "high": [2.0, 1.0, 0.99]},
        lambda mp, x, low, high: (low <= x < high) / (mp.mpf(high) - low), [0.1, 0.3, 0.7],
        lambda low, high: [low, high]),
    Row("VonMises", {"loc": [0.0, 0.5, -1.0], "concentration": [1.0, 4.0, 0.3]},
        lambda mp, x, m, k: mp.exp(k * mp.cos(x - m)) / (2 * mp.pi * mp.besseli(0, k)),
        [-3.0, -0.3, 0.0, 1.2, 2.9], lambda *p: [-3.141592653589793, 0, 3.141592653589793],
        without=("mean", "variance")),
    Row("Weibull", {"scale": [1.0, 2.0, 0.7], "concentration": [0.8, 1.5, 3.0]},
        lambda mp, x, s, k: k / s * (x / s) ** (k - 1) * mp.exp(-((x / s) ** k)), HALF, half),
]  # fmt: skip
