"""One signature of a compiled function: its trace, and the program that is made of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from aino.compiler.backends.native.writer import NativeEmitter
from aino.compiler.backends.numpy.emit import Emitter
from aino.compiler.backends.numpy.lines import Source
from aino.compiler.backends.numpy.names import label_outside
from aino.compiler.backends.numpy.readable import Readable, ReadableWriter
from aino.compiler.guards.text import code_of
from aino.compiler.ir.program import Program
from aino.compiler.pipeline import Optimised, optimise
from aino.compiler.self_check import SelfCheck
from aino.compiler.tracing.run import TracedRun


class Specialization:
    """One signature of a compiled function: its last trace, and its program once two agree."""

    def __init__(self) -> None:
        self.traced_run: TracedRun | None = None
        self.differences = 0
        self.dispatch: Any = None
        self.program: Program | None = None
        self._source: Source | None = None
        #: Writes the source, once the program is optimised.
        self.emit: Callable[[], Source] | None = None
        #: What runs, where it is not the source itself.
        self.native: Source | None = None
        #: Whether kernels were run to write down what they do, which takes memory.
        self.recorded = False
        #: Whether the last two traces did the same.
        self.agreed = False
        self.optimised: Optimised | None = None
        #: The trace before the one that the program is made of, and what compares it again.
        self.reference: Program | None = None
        self.check: SelfCheck | None = None

    @property
    def source(self) -> Source | None:
        """The program as Python; None until it is optimised."""
        if self._source is None and self.emit is not None:
            self._source = self.emit()
        return self._source


def write(specialization: Specialization, passes, name: str, native: bool = False) -> None:
    """Optimise the program of a specialization's trace, and write what will run.

    ``native``: for the walker, where it can walk any of it.
    """
    assert specialization.traced_run is not None
    trace, program = specialization.traced_run.trace, specialization.traced_run.program
    label_outside(trace)
    done = specialization.optimised = optimise(program, passes)
    specialization.program = program
    given = name, trace.containers, trace.floats
    labels = trace.leaf_labels
    specialization.emit = lambda: Emitter(program, done.layout, *given).emit(labels)
    if native:
        layout = replace(done.layout, place=dict(done.layout.place))
        emitter = NativeEmitter(program, layout, *given)
        written = emitter.emit(labels)
        specialization.native = written if emitter.walked else None
        specialization.recorded = emitter.recorded
    if specialization.native is None:
        assert specialization.source is not None
    # What is known of the program knows the program: it would not be freed by counting alone.
    program.keeps_analysis, program.analysis = False, None


def readable(specialization: Specialization, name: str) -> Readable:
    """Return the program of a specialization as a person would write it."""
    assert specialization.traced_run is not None
    assert specialization.optimised is not None
    trace = specialization.traced_run.trace
    writer = ReadableWriter(specialization.optimised.readable, name, trace.containers, trace.floats)
    return writer.readable(trace.leaf_labels)


def built(specialization: Specialization) -> tuple[Source, tuple]:
    """Return the source that runs, with its step and the regions that will hold gradients."""
    native = specialization.native
    if native is not None:
        try:
            return native, build(native)
        except (TypeError, ValueError):
            # Memory from outside that the walker does not take: the program runs as it is.
            specialization.native = None
    source = specialization.source
    assert source is not None
    return source, build(source)


def build(source: Source):
    """Compile a source; return the step and the regions that will hold gradients."""
    namespace: dict[str, Any] = {"__name__": "aino.compiler.program"}
    exec(code_of(source.text, f"<program {len(source.text)}>"), namespace)
    built = namespace.pop("build")(np, **source.bound)
    return built if isinstance(built, tuple) else (built, [])
