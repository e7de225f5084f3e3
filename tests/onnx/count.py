"""Count ONNX's backend tests by operator.

python -m tests.onnx.count               # the node tests
python -m tests.onnx.count attention -v  # those with this in their names, and what went wrong
python -m tests.onnx.count --models      # those of whole models that ONNX has as files
"""

import collections
import sys

from tests.onnx.backend_tests import family_of, model_tests, node_tests, run

STATES = ("passed", "refused", "not compared", "failed")


def main(part="", verbose=False, models=False):
    """Print the table; returns 1 where a result is wrong."""
    counts = collections.defaultdict(collections.Counter)
    for name, case in sorted((model_tests() if models else node_tests()).items()):
        if part in name:
            outcome = run(case)
            counts[family_of(case)][outcome.state] += 1
            if verbose and outcome.state != "passed":
                print(f"{outcome.state} {name}: {' '.join(outcome.why.split())[:400]}")
    print(f"{'operator':32}{''.join(f'{state:>14}' for state in STATES)}")
    for family, count in sorted(counts.items()):
        print(f"{family:32}{''.join(f'{count[state]:14}' for state in STATES)}")
    total = sum(counts.values(), collections.Counter())
    print(f"{'all':32}{''.join(f'{total[state]:14}' for state in STATES)}")
    print(f"{total['passed']} of {total.total()} pass ({total['passed'] / total.total():.1%})")
    return 1 if total["failed"] else 0


if __name__ == "__main__":
    words = [word for word in sys.argv[1:] if not word.startswith("-")]
    sys.exit(main(*words, verbose="-v" in sys.argv, models="--models" in sys.argv))
