"""What is done to a program before it is written out: each pass is a function of a program."""

from aino.compiler.passes.common_subexpressions import share_common_calls
from aino.compiler.passes.constants import fold_constants, settle_written_constants
from aino.compiler.passes.copies import elide_copies, gather_in_place, give_own_memory
from aino.compiler.passes.dead_code import drop_dead_calls, put_preconditions_first
from aino.compiler.passes.fusion import run_in_blocks
from aino.compiler.passes.negations import absorb_signs
from aino.compiler.passes.small_matrices import lower_small_rows

#: The passes in the order in which they run, by the names that ``aino.compile`` takes.
PASSES = {
    "constants": fold_constants,
    "common_subexpressions": share_common_calls,
    "copies": elide_copies,
    "negations": absorb_signs,
    "gather": gather_in_place,
    "dead_code": drop_dead_calls,
    "small_matrices": lower_small_rows,
    "fusion": run_in_blocks,
}

__all__ = [
    "PASSES", "give_own_memory", "put_preconditions_first", "settle_written_constants",
]  # fmt: skip
