"""Figures of distributions, integrated from their densities.

``python -m tests.distributions.figures`` writes ``tests/data/distributions.json`` anew, with
mpmath at 30 digits: for each row and each of its three distributions the logarithm of the density
and the distribution function at each value, and the entropy, mean and variance.
"""

import json
from pathlib import Path

from tests.distributions.rows import ROWS

PATH = Path(__file__).resolve().parents[1] / "data" / "distributions.json"


def figures(mp, row, parameters):
    """Return the figures of one distribution of a row."""
    exact = [mp.mpf(value) for value in parameters]
    density = lambda x: row.density(mp, x, *exact)  # noqa: E731
    ends = row.domain(*parameters)

    def total(f, upto=None):
        if not row.discrete:
            places = ends if upto is None else [e for e in ends if e < upto] + [upto]
            if len(places) < 2:
                return mp.mpf(0)
            return mp.quad(f, places, maxdegree=12)
        last = ends[-1] if upto is None else min(upto, ends[-1])
        return sum(f(mp.mpf(k)) for k in range(int(min(last, 400)) + 1))

    def information(x):
        p = density(x)
        return -p * mp.log(p) if p else mp.mpf(0)

    whole = total(density)
    assert abs(whole - 1) < 1e-12, (row.name, parameters, whole)
    found = {
        "log_prob": [log(mp, density(mp.mpf(x))) for x in row.values],
        "cdf": [float(total(density, x)) for x in row.values],
        "entropy": float(total(information)),
    }
    if "mean" not in row.without:
        mean = total(lambda x: x * density(x))
        found["mean"] = float(mean)
        if "variance" not in row.without:
            found["variance"] = float(total(lambda x: (x - mean) ** 2 * density(x)))
    return found


def log(mp, p):
    return float(mp.log(p)) if p else -float("inf")


def write():
    import mpmath as mp

    mp.mp.dps = 30
    written = {}
    for row in ROWS:
        several = zip(*row.parameters.values())
        written[str(row)] = [figures(mp, row, list(parameters)) for parameters in several]
        print(row)
    PATH.write_text(json.dumps(written, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write()
