"""Count ONNX's node tests by operator: ``python -m tests.onnx.count [PART OF A NAME]``."""

import collections
import sys

from tests.onnx.backend_tests import family_of, node_tests, run

STATES = ("passed", "refused", "failed")


def main(part="", verbose=False):
    counts = collections.defaultdict(collections.Counter)
    for name, case in sorted(node_tests().items()):
        if part in name:
            outcome = run(case)
            counts[family_of(case)][outcome.state] += 1
            if verbose and outcome.state != "passed":
                print(f"{outcome.state} {name}: {' '.join(outcome.why.split())[:400]}")
    print(f"{'operator':32}{''.join(f'{state:>9}' for state in STATES)}")
    for family, count in sorted(counts.items()):
        print(f"{family:32}{''.join(f'{count[state]:9}' for state in STATES)}")
    total = sum(counts.values(), collections.Counter())
    print(f"{'all':32}{''.join(f'{total[state]:9}' for state in STATES)}")
    print(f"{total['passed']} of {total.total()} pass ({total['passed'] / total.total():.1%})")
    return 1 if total["failed"] else 0


if __name__ == "__main__":
    given = [word for word in sys.argv[1:] if word != "-v"]
    sys.exit(main(*given, verbose="-v" in sys.argv))
