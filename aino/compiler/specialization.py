"""One signature of a compiled function: its trace, and the program that is made of it."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.compiler.backends.numpy.emit import Emitter, Source
from aino.compiler.backends.numpy.names import label_outside
from aino.compiler.dispatch import code_of
from aino.compiler.ir.program import Program
from aino.compiler.passes import (
    PASSES,
    give_own_memory,
    put_preconditions_first,
    settle_written_constants,
)
from aino.compiler.passes.memory_plan import plan_memory
from aino.compiler.self_check import SelfCheck
from aino.compiler.tracing.run import TracedRun


class Specialization:
    """One signature of a compiled function: its last trace, and its program once two agree."""

    def __init__(self) -> None:
        self.traced_run: TracedRun | None = None
        self.differences = 0
        self.dispatch: Any = None
        self.program: Program | None = None
        self.source: Source | None = None
        self.notes: dict[str, Any] = {}
        #: The trace before the one that the program is made of, and what compares it again.
        self.reference: Program | None = None
        self.check: SelfCheck | None = None


def optimise(specialization: Specialization, passes, name: str) -> None:
    """Run the passes over the program of a specialization's trace, plan its memory and write it."""
    assert specialization.traced_run is not None
    trace, program = specialization.traced_run.trace, specialization.traced_run.program
    label_outside(trace)
    settle_written_constants(program)
    program.notes["preconditions first"] = put_preconditions_first(program)
    notes = specialization.notes
    notes["calls traced"] = len(program.calls)
    for pass_name in passes:
        notes[pass_name] = PASSES[pass_name](program)
    notes["calls"] = len(program.calls)
    give_own_memory(program)
    layout = plan_memory(program)
    notes["layout"] = layout
    specialization.program = program
    specialization.source = Emitter(program, layout, name, trace.containers, trace.floats).emit(
        trace.leaf_labels
    )


def build(source: Source):
    """Compile a source; return the step and the regions that will hold gradients."""
    namespace: dict[str, Any] = {"__name__": "aino.compiler.program"}
    exec(code_of(source.text, f"<program {len(source.text)}>"), namespace)
    built = namespace.pop("build")(np, **source.bound)
    return built if isinstance(built, tuple) else (built, [])
