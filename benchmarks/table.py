"""``python -m benchmarks.table FIGURES.json``: the README's table, from measured figures."""

from __future__ import annotations

import argparse
import json

SHOWN = ("training", "physics", "inference", "fit", "elementwise")
PEERS = (
    ("PyTorch", ("PyTorch, fastest optimizer", "PyTorch, no_grad", "PyTorch")),
    ("JAX", ("JAX jit",)),
    ("NumPy by hand", ("NumPy by hand", "NumPy")),
    ("scikit-learn", ("scikit-learn",)),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("figures")
    with open(parser.parse_args().figures, encoding="utf-8") as file:
        results = json.load(file)["results"]
    print("| | AINO | " + " | ".join(name for name, _ in PEERS) + " |")
    print("|---|---:|" + "---:|" * len(PEERS))
    for result in results:
        if result["family"] in SHOWN:
            print(row(result))


def row(result: dict) -> str:
    """Return a line: AINO's time, and how many times it each peer takes."""
    medians, ratios = result["medians"], result["ratios"]
    ours = next(
        name for name in ("AINO compiled", "AINO compiled, no_grad", "AINO") if name in medians
    )
    cells = [f"{result['family']}: {result['name']}", duration(medians[ours])]
    for _, names in PEERS:
        name = next((name for name in names if name in ratios), None)
        cells.append("" if name is None else f"{ratios[name][1]:.2f} ×")
    return f"| {' | '.join(cells)} |"


def duration(seconds: float) -> str:
    """Return a time with its unit: ``17.3 µs``."""
    for unit, size in (("µs", 1e-6), ("ms", 1e-3)):
        if seconds < 1000 * size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.3g} s"


if __name__ == "__main__":
    main()
