"""Everything that is done to a program between its trace and its text, in order."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from aino.compiler.ir.program import Program
from aino.compiler.ir.verify import verify
from aino.compiler.passes.choices import choose_in_place
from aino.compiler.passes.common_subexpressions import share_common_calls
from aino.compiler.passes.constants import fold_constants, settle_written_constants
from aino.compiler.passes.copies import elide_copies, gather_in_place, give_own_memory
from aino.compiler.passes.dead_code import (
    drop_dead_calls,
    put_checks_first,
    put_preconditions_first,
)
from aino.compiler.passes.fusion import run_in_blocks
from aino.compiler.passes.memory_order import keep_batch_last
from aino.compiler.passes.memory_plan import Layout, plan_memory
from aino.compiler.passes.negations import absorb_signs
from aino.compiler.passes.placement import compute_in_place
from aino.compiler.passes.products import share_products
from aino.compiler.passes.rows import run_by_rows
from aino.compiler.passes.slices import add_slices_in_place
from aino.compiler.passes.small_matrices import lower_small_rows

#: From here on passes only change where and how things are computed: the reader has no need of it.
FIRST_OF_MEMORY = "gather"

#: The passes that ``aino.compile(passes=...)`` chooses from, in the order in which they run.
PASSES: dict[str, Callable[[Program], int]] = {
    "constants": fold_constants,
    "common_subexpressions": share_common_calls,
    "copies": elide_copies,
    "slices": add_slices_in_place,
    "negations": absorb_signs,
    "dead_code": drop_dead_calls,
    "gather": gather_in_place,
    "memory_order": keep_batch_last,
    "placement": compute_in_place,
    "choices": choose_in_place,
    "small_matrices": lower_small_rows,
    "fusion": run_in_blocks,
    "rows": run_by_rows,
    "products": share_products,
}


#: Those that go by sizes: a program for any size does without.
FIXED_SIZES = frozenset({"fusion", "rows", "products"})


@dataclass
class Checks:
    """How a program is looked at; the tests switch it on.

    ``after_each_pass``: whether it can run as it stands: as it was traced, after each pass that
    changed it, and at the end. ``changes``: whether a pass that says that it changed nothing did
    not.
    """

    after_each_pass: bool = False
    changes: bool = False


checks = Checks()


@dataclass
class Optimised:
    """What became of a program: how much each pass did, and where its memory lies.

    ``readable``: the program before its memory was thought of.
    """

    traced: int
    calls: int
    readable: Program
    counts: dict[str, int] = field(default_factory=dict)
    layout: Layout = field(default_factory=Layout)


def optimise(program: Program, chosen: Collection[str]) -> Optimised:
    """Rewrite a program in place, pass by pass, and plan its memory.

    Those that a program can't do without always run; of ``PASSES`` the chosen ones do.
    """
    program.keeps_analysis = True
    _look(program, settle_written_constants)
    _verify(program, "the trace")
    _look(program, put_checks_first)
    _look(program, put_preconditions_first)
    done = Optimised(len(program.calls), 0, program)
    for name, rewrite in PASSES.items():
        if name == FIRST_OF_MEMORY:
            done.readable = program.copy()
        if name in chosen:
            done.counts[name] = _look(program, rewrite)
    done.calls = len(program.calls)
    _look(program, give_own_memory)
    _verify(program, "all passes")
    done.layout = plan_memory(program)
    return done


def _look(program: Program, rewrite: Callable[[Program], int]) -> int:
    """Run a pass, and look at what it left."""
    before = str(program) if checks.changes else ""
    count = rewrite(program)
    if count:
        program.analysis = None
    if checks.changes:
        same = program.analysis is None or str(program) == before
        assert same, f"{rewrite.__name__} does not say what it changes"
    if count:
        _verify(program, rewrite.__name__)
    return count


def _verify(program: Program, what: str) -> None:
    if checks.after_each_pass:
        try:
            verify(program)
        except Exception as error:
            error.add_note(f"after {what}")
            raise
