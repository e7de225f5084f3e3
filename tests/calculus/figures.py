"""Figures of special functions over their whole domains: ``python -m tests.calculus.figures``.

The module writes ``tests/data/special_functions.json`` anew, with mpmath at 50 digits. A figure is
a list of arguments that float32 holds exactly, the value, and its scale: the size of the value,
and with it what a change of the arguments in their last digits is worth.
"""

import json
from pathlib import Path

import numpy as np

PATH = Path(__file__).resolve().parents[1] / "data" / "special_functions.json"


def points(rng, *spans):
    """Return numbers of some spans: (low, high) evenly, ("log", low, high) by their size."""
    found = []
    for span in spans:
        if span[0] == "log":
            found += (10.0 ** rng.uniform(span[1], span[2], 12)).tolist()
        elif span[0] == "-log":
            found += (-(10.0 ** rng.uniform(span[1], span[2], 12))).tolist()
        else:
            found += rng.uniform(*span, 12).tolist()
    return np.float32(found).astype(np.float64)


def functions(mp):
    """Return the functions by name: the definition, and the spans of each argument."""
    tiny, wide = ("log", -8, 0), ("log", 0, 5)
    scaled = lambda f: lambda x: mp.exp(-abs(x)) * f(x)  # noqa: E731
    ratio = lambda x: x / mp.sqrt(2)  # noqa: E731
    bessel = [tiny, (0, 10), (10, 40), ("log", 1.5, 6), (-40, 0)]
    above = [tiny, (0, 10), (10, 40)]
    near = [(1.3, 1.6), (0.9, 1.1), (1.9, 2.1)]
    return {
        "entr": (lambda x: -x * mp.log(x), [("log", -30, 30), (0, 2)]),
        "erf": (mp.erf, [(-6, 6), ("log", -30, 0)]),
        "erfc": (mp.erfc, [(-6, 9), ("log", -8, 0.9)]),
        "erfcx": (lambda x: mp.exp(x * x) * mp.erfc(x), [(-9, 26), (-2, 2), ("log", -8, 1.4)]),
        "erfinv": (mp.erfinv, [(-1, 1), tiny, (0.9, 1), (0.9999, 1)]),
        "exp2": (lambda x: mp.mpf(2) ** x, [(-100, 100), (-1, 1)]),
        "expit": (lambda x: 1 / (1 + mp.exp(-x)), [(-80, 30), (-1, 1)]),
        "expm1": (mp.expm1, [(-30, 80), tiny, ("-log", -8, 0)]),
        "log1p": (mp.log1p, [(-0.99, 2), tiny, ("-log", -8, -1), wide]),
        "log_ndtr": (lambda x: mp.log(mp.erfc(-ratio(x)) / 2),
                     [(-12, 8), (-1.5, 1.5), ("-log", 1, 4), tiny]),
        "logit": (lambda x: mp.log(x / (1 - x)), [(0, 1), ("log", -30, -1), (0.999, 1)]),
        "ndtr": (lambda x: mp.erfc(-ratio(x)) / 2, [(-12, 8), (-2, 2)]),
        "ndtri": (lambda p: mp.sqrt(2) * mp.erfinv(2 * p - 1) if p > 1e-6 else mp.findroot(
            lambda x: mp.log(mp.erfc(-ratio(x)) / 2) - mp.log(p),
            -mp.sqrt(-2 * mp.log(p)) + mp.log(mp.log(1 / p)) / mp.sqrt(-8 * mp.log(p))),
            [(0, 1), (0.2, 0.3), (0.7, 0.8), ("log", -30, -1), (0.999, 1)]),
        "sinc": (lambda x: mp.sinpi(x) / (mp.pi * x), [(-20, 20), tiny]),
        "gammaln": (lambda x: mp.log(abs(mp.gamma(x))),
                    [tiny, (0, 12), *near, wide, (-20, 0)]),
        "digamma": (mp.digamma, [tiny, (0, 12), *near, wide, (-20, 0)]),
        **{f"polygamma {n}": (lambda x, n=n: mp.polygamma(n, x), [("log", -2, 3), (0, 5), (-20, 0)])
           for n in (1, 2, 5, 20)},
        "zeta": (mp.zeta, [("log", 0.001, 1.3), (1.001, 1.2)], [("log", -1, 2), (0.1, 5)]),
        "gammainc": (lambda a, x: mp.gammainc(a, 0, x, regularized=True),
                     [("log", -2, 1), (0.1, 50)], [("log", -2, 1), (0.1, 50)]),
        "gammaincc": (lambda a, x: mp.gammainc(a, x, mp.inf, regularized=True),
                      [("log", -2, 1), (0.1, 50)], [("log", -2, 1), (0.1, 50)]),
        "i0": (lambda x: mp.besseli(0, x), [tiny, (-80, 80), (7, 9)]),
        "i1": (lambda x: mp.besseli(1, x), [tiny, (-80, 80), (7, 9)]),
        "i0e": (scaled(lambda x: mp.besseli(0, x)), [tiny, (-80, 80), (7, 9), ("log", 0, 3)]),
        "i1e": (scaled(lambda x: mp.besseli(1, x)), [tiny, (-80, 80), (7, 9), ("log", 0, 3)]),
        "bessel_j0": (lambda x: mp.besselj(0, x), bessel),
        "bessel_j1": (lambda x: mp.besselj(1, x), bessel),
        "bessel_y0": (lambda x: mp.bessely(0, x), bessel[:-1]),
        "bessel_y1": (lambda x: mp.bessely(1, x), bessel[:-1]),
        "modified_bessel_k0": (lambda x: mp.besselk(0, x), above),
        "modified_bessel_k1": (lambda x: mp.besselk(1, x), above),
        "scaled_modified_bessel_k0": (lambda x: mp.exp(x) * mp.besselk(0, x), [*above, wide]),
        "scaled_modified_bessel_k1": (lambda x: mp.exp(x) * mp.besselk(1, x), [*above, wide]),
        "spherical_bessel_j0": (lambda x: mp.sin(x) / x, [tiny, (-40, 40), wide]),
        "airy_ai": (mp.airyai, [(-5, 5), (5, 18), (-60, -5), ("-log", 1, 3), tiny]),
        **{name: (definition, spans, [(0, 20)]) for name, definition, spans in polynomials(mp)},
    }  # fmt: skip


def polynomials(mp):
    """Return the orthogonal polynomials by closed forms in θ, or as mpmath defines them."""
    inside = [(-1.3, 1.3)]
    sine = lambda n, theta: mp.sin((n + 1) * theta) / mp.sin(theta)  # noqa: E731
    kinds = {
        "t": lambda n, x: mp.chebyt(n, x),
        "u": lambda n, x: sine(n, mp.acos(x)).real if abs(x) < 1 else mp.chebyu(n, x),
        "v": lambda n, x: mp.chebyu(n, x) - (mp.chebyu(n - 1, x) if n else 0),
        "w": lambda n, x: mp.chebyu(n, x) + (mp.chebyu(n - 1, x) if n else 0),
    }
    for kind, definition in kinds.items():
        yield (f"chebyshev_polynomial_{kind}", whole(definition), inside)
        shifted = lambda n, x, f=definition: f(n, 2 * x - 1)  # noqa: E731
        yield (f"shifted_chebyshev_polynomial_{kind}", whole(shifted), [(-0.2, 1.2)])
    half = lambda n, x: mp.mpf(2) ** (-mp.mpf(n) / 2) * mp.hermite(n, x / mp.sqrt(2))  # noqa: E731
    yield ("hermite_polynomial_h", whole(mp.hermite), [(-4, 4)])
    yield ("hermite_polynomial_he", whole(half), [(-4, 4)])
    yield ("laguerre_polynomial_l", whole(lambda n, x: mp.laguerre(n, 0, x)), [(-2, 20)])
    yield ("legendre_polynomial_p", whole(mp.legendre), inside)


def whole(definition):
    """Return a definition of (x, n) for a degree that is cut to a whole number."""
    return lambda x, n: definition(int(n), x)


def compute():
    """Return the figures of every function."""
    import mpmath as mp

    mp.mp.dps = 50
    figures = {}
    for name, (definition, *spans) in functions(mp).items():
        rng = np.random.default_rng(len(name))
        columns = [points(rng, *part) for part in spans]
        rows = []
        for numbers in zip(*[np.resize(column, len(columns[0])) for column in columns]):
            arguments = [mp.mpf(float(x)) for x in numbers]
            if name.startswith(("chebyshev", "shifted", "hermite", "laguerre", "legendre")):
                arguments[1] = mp.mpf(int(numbers[1]))
            value = mp.re(definition(*arguments))
            if not 1e-30 < abs(value) < 1e30:
                continue
            moved = abs(value)
            for i, x in enumerate(arguments):
                h = x * mp.mpf(10) ** -15
                if (i == 1 and "polynomial" in name) or not h:
                    continue
                ahead = definition(*arguments[:i], x + h, *arguments[i + 1 :])
                moved += abs((mp.re(ahead) - value) / h * x) * mp.mpf("3e-4")
            rows.append([*[float(x) for x in arguments], float(value), float(moved)])
        figures[name] = rows
    return figures


if __name__ == "__main__":
    found = compute()
    lines = [f'"{name}": {json.dumps(rows)}' for name, rows in found.items()]
    PATH.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    print(f"{PATH}: {sum(map(len, found.values()))} figures of {len(found)} functions")
