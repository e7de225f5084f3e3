"""Runs the benchmarks: all of them, a family, or those whose name contains a given text.

python -m benchmarks                     everything (a quarter of an hour)
python -m benchmarks eager training      two families
python -m benchmarks 4-16-3 --quick      whatever has 4-16-3 in its name, in seconds
python -m benchmarks --against ../other  this checkout and another one, paired, without the peers
python -m benchmarks operations [NAMES]  every operation against PyTorch, on one thread each
python -m benchmarks accuracy [NAMES]    what is learned at defaults, beside scikit-learn, skorch
python -m benchmarks distributed [NAMES] a training step on two ranks, beside PyTorch with gloo
python -m benchmarks distributed exchange   all_reduce on two ranks, beside PyTorch with gloo
python -m benchmarks compare [A] [B]     two runs that were kept: by number, commit or file
python -m benchmarks history             which runs were kept

What is measured of the families is kept in .benchmarks/, in pytest-benchmark's format. A run is
compared with another (the last with the one before it, unless said otherwise) by AINO's medians in
units of its peers'; the exit status is 1 where something is slower by more than the threshold.
"""

from __future__ import annotations

import argparse
import math
import sys
from importlib import import_module
from pathlib import Path

FAMILIES = (
    "eager",
    "optimizers",
    "training",
    "native",
    "gpt",
    "tracing",
    "physics",
    "transforms",
    "forward_mode",
    "inference",
    "fit",
    "estimators",
    "convolution",
    "normalization",
    "sequences",
    "data",
    "memory",
    "elementwise",
    "importing",
)
HERE = Path(__file__).resolve().parent


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", help="families, or parts of a benchmark's name")
    parser.add_argument("--out", type=Path, default=HERE / "results", help="folder for the figures")
    parser.add_argument("--rounds", type=int, default=25, help="turns of each contender")
    parser.add_argument("--seconds", type=float, default=0.03, help="length of a turn")
    parser.add_argument("--threads", type=int, help="threads of every library (2; operations: 1)")
    parser.add_argument(
        "--patience", type=float, default=20.0, help="seconds to wait for a quiet machine, per case"
    )
    parser.add_argument(
        "--torch-compile",
        action="store_true",
        help="torch.compile as well, which takes many seconds for each network",
    )
    parser.add_argument("--quick", action="store_true", help="a rough look: few, short turns")
    parser.add_argument("--against", type=Path, help="another checkout, to compare with")
    parser.add_argument(
        "--history", type=Path, default=HERE.parent / ".benchmarks", help="folder of the runs"
    )
    parser.add_argument("--threshold", type=percentage, default=0.1, help="of compare: 10%%")
    parser.add_argument(
        "--by", choices=("ratio", "time"), default="ratio", help="of compare: what is judged"
    )
    parser.add_argument("--list", action="store_true", help="say what there is, and stop")
    options = parser.parse_intermixed_args()
    if options.names[:1] == ["compare"]:
        compare = import_module("benchmarks.compare")
        judged = options.history, options.threshold, options.by
        sys.exit(compare.main(options.names[1:], *judged))
    if options.names == ["history"]:
        sys.exit(import_module("benchmarks.compare").show(options.history))
    rounds, seconds = (5, 0.01) if options.quick else (options.rounds, options.seconds)
    operations = options.names[:1] == ["operations"]
    threads = options.threads or (1 if operations else 2)

    # Libraries read the number of their threads when they are loaded.
    peers = import_module("benchmarks.peers")
    peers.prepare(threads)
    if operations:
        # There are 700 of them, so that each has shorter turns.
        rounds, seconds = (3, 0.001) if options.quick else (9, 0.004)
        sys.exit(import_module("benchmarks.operations").main(options.names[1:], rounds, seconds))
    if options.names[:1] == ["distributed"]:
        turns = 1 if options.quick else 3
        if options.names[1:] == ["exchange"]:
            sys.exit(import_module("benchmarks.distributed_exchange").main(turns))
        training = import_module("benchmarks.distributed_training")
        sys.exit(training.main(options.names[1:], turns))
    if options.names[:1] == ["accuracy"]:
        accuracy = import_module("benchmarks.accuracy")
        seeds = accuracy.SEEDS[:2] if options.quick else accuracy.SEEDS
        sys.exit(accuracy.main(options.names[1:], seeds, options.out))
    peers.with_torch_compile = options.torch_compile
    harness = import_module("benchmarks.harness")
    report = import_module("benchmarks.report")
    against = import_module("benchmarks.against")

    chosen = [
        case
        for family in FAMILIES
        for case in import_module(f"benchmarks.{family}").cases()
        if not options.names
        or any(name == family or name in f"{family} {case.name}" for name in options.names)
    ]
    if options.list or not chosen:
        print("\n".join(f"{case.family}: {case.name}" for case in chosen) or "nothing of that name")
        return
    results = []
    for case in chosen:
        if options.against:
            if case.kind != "seconds" or case.rounds:
                continue
            result = against.compare(case, options.against, rounds, seconds)
            if result is None:
                continue
        else:
            patience = 0.0 if options.quick else options.patience
            result = harness.measure(case, rounds, seconds, patience)
        print(report.table(result), flush=True)
        results.append(result)
    environment = peers.environment()
    options.out.mkdir(parents=True, exist_ok=True)
    report.write_figures(results, environment, options.out / "figures.json")
    title = f"Time in units of AINO's ({environment['processor']}, {threads} threads, float32)"
    (options.out / "chart.svg").write_text(report.chart(results, title), encoding="utf-8")
    print(f"figures and chart are in {options.out}")
    if not options.against:
        history = import_module("benchmarks.history")
        how = {"rounds": rounds, "seconds": seconds, "threads": threads, "timer": "perf_counter"}
        print(f"kept as {history.keep(results, environment, how, options.history)}")


def percentage(text: str) -> float:
    """Return ``10%``, or 10, as 0.1."""
    value = float(text.removesuffix("%")) / 100
    if not 0 <= value < math.inf:
        raise ValueError(text)
    return value


if __name__ == "__main__":
    main()
