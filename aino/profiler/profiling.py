"""``profile``: records what is done in a block, or in some of the steps of a training."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Callable, Iterable
from enum import Enum
from typing import Any, Self

from aino.profiler.averages import EventList
from aino.profiler.exporting import chrome_trace, folded_stacks, speedscope, write_text
from aino.profiler.recorder import Recorder
from aino.tracing import forbid_in_trace
from aino.user_warnings import warn


class ProfilerActivity(Enum):
    """What is watched: ``ProfilerActivity.CPU``; the others are PyTorch's, and not here."""

    CPU = 0
    XPU = 1
    MTIA = 2
    CUDA = 3
    HPU = 4
    PrivateUse1 = 5


class ProfilerAction(Enum):
    """What a profiler does at a step."""

    NONE = 0
    WARMUP = 1
    RECORD = 2
    RECORD_AND_SAVE = 3


def supported_activities() -> set[ProfilerActivity]:
    """Return what can be profiled: the CPU."""
    return {ProfilerActivity.CPU}


def schedule(
    *, wait: int, warmup: int, active: int, repeat: int = 0, skip_first: int = 0,
    skip_first_wait: int = 0,
) -> Callable[[int], ProfilerAction]:  # fmt: skip
    """Return a function from a step's number to what the profiler does there.

    It waits, warms up (what is recorded there is dropped), records, and begins again.

    Arguments:
        wait: steps of a cycle in which nothing is done.
        warmup: steps that are recorded and dropped.
        active: steps that are recorded.
        repeat: how many cycles there are; 0 for no end.
        skip_first: steps before the first cycle.
        skip_first_wait: not 0 has the first cycle begin without waiting.

    >>> import aino
    >>> plan = aino.profiler.schedule(wait=1, warmup=1, active=2, repeat=1)
    >>> [plan(step).name for step in range(5)]
    ['NONE', 'WARMUP', 'RECORD', 'RECORD_AND_SAVE', 'NONE']
    """
    for name, value in (("wait", wait), ("warmup", warmup), ("repeat", repeat),
                        ("skip_first", skip_first)):  # fmt: skip
        if not isinstance(value, int) or value < 0:
            raise ValueError(f"schedule: {name} is a whole number from 0 on, not {value!r}")
    if not isinstance(active, int) or active < 1:
        raise ValueError(f"schedule: active is a whole number from 1 on, not {active!r}")

    def action_at(step: int) -> ProfilerAction:
        if step < skip_first:
            return ProfilerAction.NONE
        step -= skip_first
        if skip_first_wait:
            step += wait
        cycle, place = divmod(step, wait + warmup + active)
        if (repeat and cycle >= repeat) or place < wait:
            return ProfilerAction.NONE
        if place < wait + warmup:
            return ProfilerAction.WARMUP
        last = place == wait + warmup + active - 1
        return ProfilerAction.RECORD_AND_SAVE if last else ProfilerAction.RECORD

    return action_at


def tensorboard_trace_handler(
    dir_name: str, worker_name: str | None = None, use_gzip: bool = False,
    use_python_export: bool = False,
) -> Callable[[profile], None]:  # fmt: skip
    """Return what writes each trace into a folder, in Chrome's format, where TensorBoard looks.

    Arguments:
        dir_name: the folder, which is made where it is not there.
        worker_name: what the files are called by; this machine and process for None.
        use_gzip: write them compressed.
        use_python_export: changes nothing: they are written by Python.
    """

    def write(prof: profile) -> None:
        os.makedirs(dir_name, exist_ok=True)
        worker = worker_name or f"{socket.gethostname()}_{os.getpid()}"
        name = f"{worker}.{time.time_ns()}.pt.trace.json{'.gz' if use_gzip else ''}"
        prof.export_chrome_trace(os.path.join(dir_name, name))

    return write


def _always(step: int) -> ProfilerAction:
    return ProfilerAction.RECORD


_RECORDING = (ProfilerAction.RECORD, ProfilerAction.RECORD_AND_SAVE)


class profile:
    """Record time and memory by operation, module and line, forward and backward.

    Inside the block each operation, each step backward, each call of a module, each step of an
    optimizer and each line of a compiled program is timed. What the recording itself takes is
    taken off. Outside it costs nothing. With ``schedule``, call ``step()`` at the end of each step.

    Arguments:
        activities: the CPU is what can be watched; of others it is said that they are not there.
        schedule: what ``aino.profiler.schedule`` returns, or a function of your own; None records
            all.
        on_trace_ready: called with the profiler when a recording is complete.
        record_shapes: note the shapes of inputs.
        profile_memory: note how much memory each event has added; slow.
        with_stack: note all your lines around each event; ``export_stacks`` needs them.
        with_flops: refused: not there.
        with_modules: changes nothing: modules are always recorded.
        experimental_config, execution_trace_observer: taken for PyTorch's sake, no effect.
        acc_events: keep what was recorded in earlier cycles.
        use_cuda, custom_trace_id_callback, post_processing_timeout_s: no effect, either.

    >>> import aino
    >>> model = aino.nn.Sequential(aino.nn.Linear(4, 8), aino.nn.ReLU())
    >>> with aino.profiler.profile() as prof:
    ...     model(aino.ones(2, 4)).sum().backward()
    >>> {row.key: row.count for row in prof.key_averages()}["linear"]
    1
    >>> table = prof.key_averages().table(sort_by="self_cpu_time_total", row_limit=10)
    """

    def __init__(
        self, *, activities: Iterable[ProfilerActivity] | None = None,
        schedule: Callable[[int], ProfilerAction] | None = None,
        on_trace_ready: Callable[[profile], Any] | None = None, record_shapes: bool = False,
        profile_memory: bool = False, with_stack: bool = False, with_flops: bool = False,
        with_modules: bool = False, experimental_config: Any = None,
        execution_trace_observer: Any = None, acc_events: bool = False,
        use_cuda: bool | None = None, custom_trace_id_callback: Any = None,
        post_processing_timeout_s: float | None = None,
    ) -> None:  # fmt: skip
        if with_flops:
            raise ValueError("profile: with_flops is not there; leave it out")
        wished = set(supported_activities() if activities is None else activities)
        if not wished:
            raise ValueError("profile: activities is empty; leave it out, or give the CPU")
        for one in wished:
            if not isinstance(one, ProfilerActivity):
                raise TypeError(
                    f"profile: activities are ProfilerActivity.CPU and its kin, not {one!r}"
                )
        for one in sorted(wished - supported_activities(), key=lambda one: one.value):
            warn(f"{one.name} is not available, disabling {one.name} profiling")
        self.schedule = schedule or _always
        self.on_trace_ready = on_trace_ready
        self.record_shapes = record_shapes
        self.profile_memory = profile_memory
        self.with_stack = with_stack
        self.acc_events = acc_events
        self.step_num = 0
        self.current_action = self.schedule(0)
        self._has_schedule = schedule is not None
        self._recorder: Recorder | None = None
        self._mark: Any = None
        self._recorded: list[Any] = []
        self._kept: list[Any] = []
        self._metadata: dict[str, str] = {}

    # From when to when

    def start(self) -> None:
        """Begin, as a ``with`` block does."""
        forbid_in_trace("profile", "have it around the call of the compiled function")
        if self._recorder is not None:
            raise RuntimeError("profile: has begun already")
        self.current_action = self.schedule(self.step_num)
        self._begin()

    def stop(self) -> None:
        """End, as a ``with`` block does; ``on_trace_ready`` is called for what was recorded."""
        recording = self.current_action in _RECORDING and self._recorder is not None
        self._end()
        if recording and self.on_trace_ready is not None:
            self.on_trace_ready(self)

    def step(self) -> None:
        """Say that a step has come to its end, so that the schedule goes on."""
        before = self.current_action
        self.step_num += 1
        self.current_action = self.schedule(self.step_num)
        if before is ProfilerAction.RECORD_AND_SAVE:
            self._end()
            if self.on_trace_ready is not None:
                self.on_trace_ready(self)
        elif self.current_action is ProfilerAction.NONE or (
            before is ProfilerAction.WARMUP and self.current_action in _RECORDING
        ):
            self._end(keep=before in _RECORDING)
        if self._recorder is None:
            self._begin()
        else:
            self._next_mark()

    def _begin(self) -> None:
        if self.current_action is ProfilerAction.NONE:
            return
        self._recorder = Recorder(self.record_shapes, self.profile_memory, self.with_stack)
        self._recorder.start()
        self._next_mark()

    def _next_mark(self) -> None:
        """Record the step as an event around all that is done in it."""
        recorder = self._recorder
        if not self._has_schedule or recorder is None:
            return
        if self._mark is not None:
            recorder.end(self._mark)
        recorder.step = self.step_num
        self._mark = recorder.begin(f"ProfilerStep#{self.step_num}", "user_annotation")

    def _end(self, keep: bool = True) -> None:
        if self._recorder is None:
            return
        if self._mark is not None:
            self._recorder.end(self._mark)
            self._mark = None
        self._recorder.stop()
        if keep:
            self._recorded = self._recorder.events
            self._kept += self._recorded if self.acc_events else []
        self._recorder = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    # What was recorded

    def events(self) -> EventList:
        """Return all events of the last recording, in the order in which they began."""
        if self._recorder is not None and self.current_action in _RECORDING:
            raise RuntimeError(
                "profile: is still recording; ask behind the with block, or in on_trace_ready"
            )
        return EventList(self._kept if self.acc_events else self._recorded, self.profile_memory)

    def key_averages(
        self, group_by_input_shape: bool = False, group_by_stack_n: int = 0,
        group_by_overload_name: bool = False, *, group_by: str = "name",
    ) -> EventList:  # fmt: skip
        """Return sums over the events of one name; ``table()`` of the result prints them.

        Arguments:
            group_by_input_shape: those of other shapes stand apart; needs ``record_shapes``.
            group_by_stack_n: those from other lines, up to so many around, stand apart.
            group_by_overload_name: changes nothing: names have no overloads here.
            group_by: ``"name"``, ``"module"`` or ``"line"`` of your code.
        """
        return self.events().key_averages(
            group_by_input_shape, group_by_stack_n, group_by_overload_name, group_by=group_by
        )

    def export_chrome_trace(
        self, path: str | os.PathLike[str], use_python_export: bool = False
    ) -> None:
        """Write the events as Perfetto and ``chrome://tracing`` show them; compressed for ``.gz``.

        Arguments:
            path: the file, ``trace.json`` or ``trace.json.gz``.
            use_python_export: changes nothing: it is written by Python.
        """
        write_text(path, json.dumps(chrome_trace(self.events(), self._metadata)))

    def export_speedscope(self, path: str | os.PathLike[str]) -> None:
        """Write the events as speedscope.app shows them: a flame graph of modules and operations.

        Arguments:
            path: the file, ``profile.speedscope.json``.
        """
        write_text(path, json.dumps(speedscope(self.events())))

    def export_stacks(
        self, path: str | os.PathLike[str], metric: str = "self_cpu_time_total"
    ) -> None:
        """Write lines ``outermost;...;operation number``, which flame graphs are made from.

        Raises ``ValueError`` without ``with_stack=True``, and for another metric.

        Arguments:
            path: the file.
            metric: ``"self_cpu_time_total"``, in microseconds.
        """
        if not self.with_stack:
            raise ValueError("export_stacks needs the lines: profile(with_stack=True)")
        write_text(path, folded_stacks(self.events(), metric))

    def add_metadata(self, key: str, value: str) -> None:
        """Put a text into the trace.

        Arguments:
            key: what it is called.
            value: the text.
        """
        self._metadata[key] = str(value)

    def add_metadata_json(self, key: str, value: str) -> None:
        """Put a value into the trace.

        Arguments:
            key: what it is called.
            value: JSON; ``ValueError`` for what is none.
        """
        self._metadata[key] = json.loads(value)

    def __repr__(self) -> str:
        return f"<profile: {len(self._recorded)} events>"
