"""FlatOptimizer: the step that all of AINO's optimizers share, over flat arrays.

An optimizer adds three things: the kinds of state that it keeps, the numbers that a step needs
(from the group's settings and the step count, in Python arithmetic), and one update function over
arrays, in ufuncs with ``out=``. The same function serves blocks of ndarrays, with a work buffer,
and whatever stands in for arrays in a trace, with ``work=None``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from numpy import add, multiply, negative, subtract

from aino.autograd.memory import stamp_write
from aino.autograd.mode import enable_grad
from aino.autograd.node import Leaf
from aino.autograd.tensor import Tensor
from aino.optim.bucket import Segment
from aino.optim.optimizer import Optimizer, check_shape, number
from aino.optim.state import ParameterState, State
from aino.threads import worker
from aino.tracing import hyperparameters, session, untraced

ndarray = np.ndarray


class Layout:
    """How a group's parameters are divided into segments; ``waiting`` have had no gradient."""

    __slots__ = ("group", "parameters", "kinds", "segments", "waiting")

    def __init__(self, group, kinds, segments, waiting) -> None:
        self.group = group
        self.parameters = list(group["params"])
        self.kinds = kinds
        self.segments: list[Segment] = segments
        self.waiting: list[Tensor] = waiting

    def fits(self, parameters: list[Tensor], kinds: tuple) -> bool:
        """Tell whether the group is still what it was when it was divided."""
        known = self.parameters
        if len(known) != len(parameters) or kinds != self.kinds:
            return False
        return all([parameter is before for parameter, before in zip(parameters, known)])


class FlatOptimizer(Optimizer):
    """Base of AINO's optimizers: gradients and state are flat, parameters stay where they are.

    A parameter without a gradient is skipped: neither it nor its step count moves.
    """

    #: Every kind of state that this optimizer may keep, its numbers first.
    known: tuple[str, ...] = ()

    def __init__(self, params: Iterable, defaults: dict[str, Any]) -> None:
        self._layouts: dict[int, Layout] = {}
        super().__init__(params, defaults)

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._layouts = {}
        super().__setstate__(state)

    def _new_state(self) -> State:
        return State()

    # What an optimizer adds

    def _kinds(self, group: Mapping[str, Any]) -> tuple[str | None, ...]:
        """Return the names of the state arrays in the order in which the update takes them."""
        raise NotImplementedError

    def _numbers(self, entries: Mapping[str, Any], group: Mapping[str, Any]) -> dict[str, Any]:
        """Return the numbers of a parameter with this state: its step count, and kin."""
        return {"step": int(number(entries.get("step", 0)))}

    def _initial(self, kind: str, group: Mapping[str, Any]) -> float:
        """Return what a new state array is filled with."""
        return 0.0

    def _update(self, group: Mapping[str, Any], numbers: dict[str, Any]) -> tuple:
        """Advance the numbers by one step; return (function, scalars, decay, shrink, after).

        p = shrink · p - function(gradient + decay · p, *states, work, *scalars), where
        ``function`` writes the states in place and returns, in ``work`` if that is given, what
        is subtracted; ``decay`` and ``shrink`` may be None. ``after``, if not None, is called
        like ``function``, with the new p in the place of the gradient.
        """
        raise NotImplementedError

    # The step

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Change each parameter that has a gradient.

        ``closure`` computes the loss and its gradients anew, and ``step`` returns what it returns.
        """
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        for group in self.param_groups:
            kinds = self._kinds(group)
            layout = self._layouts.get(id(group))
            if layout is None or not layout.fits(group["params"], kinds):
                layout = self._divide(group, kinds)
            work = _gradients(layout)
            if work is None:
                work = _gradients(self._divide(group, kinds))
                assert work is not None
            for segment, gradients in work:
                self._advance(segment, group, gradients)
        return loss

    @untraced
    def _divide(self, group: dict[str, Any], kinds: tuple) -> Layout:
        """Divide a group into segments anew, keeping those that are still all of a piece."""
        kept: list[Segment] = []
        fresh: dict[tuple, list[tuple[Tensor, ParameterState]]] = {}
        waiting: list[Tensor] = []
        parameters = group["params"]
        members = {id(parameter) for parameter in parameters}
        for parameter in parameters:
            state = self.state[parameter]
            segment = state.segment
            if segment is not None and segment not in kept:
                has = [member.grad is not None for member in segment.parameters]
                whole = all(has) or not any(has)
                if whole and segment.kinds == kinds and _all_in(segment.parameters, members):
                    kept.append(segment)
                else:
                    segment.dissolve()
            if state.segment is not None:
                continue
            if parameter.grad is None:
                waiting.append(parameter)
                continue
            self._check_state(parameter, state, kinds)
            numbers = self._numbers(state, group)
            key = (parameter.array.dtype, *numbers.items())
            fresh.setdefault(key, []).append((parameter, state))
        kept += [
            Segment(
                [parameter for parameter, _ in alike],
                [state for _, state in alike],
                kinds,
                lambda kind: self._initial(kind, group),
                self._numbers(alike[0][1], group),
            )
            for alike in fresh.values()
        ]
        layout = self._layouts[id(group)] = Layout(group, kinds, kept, waiting)
        return layout

    def _check_state(self, parameter: Tensor, state: ParameterState, kinds: tuple) -> None:
        """Raise if what was put into the state of a parameter can't be its state."""
        for kind in kinds:
            if kind in state.entries:
                check_shape("", kind, state.entries[kind].array, parameter)

    def _advance(self, segment: Segment, group: dict[str, Any], gradients: list) -> None:
        """Step the parameters of one segment."""
        arrays = [parameter.array for parameter in segment.parameters]
        if session.trace is not None or type(gradients[0]) is not ndarray:
            update = self._update(hyperparameters(group), hyperparameters(segment.numbers))
            _step_whole(segment, arrays, gradients, update, group["maximize"])
        else:
            blocks = segment.prepare(arrays)
            update = self._update(group, segment.numbers)
            _step_in_blocks(blocks, segment, gradients, update, group["maximize"])

    def begin_anew(self) -> None:
        """Forget what is remembered of the parameters, and keep its memory, which programs know."""
        for layout in self._layouts.values():
            for segment in layout.segments:
                for kind, tensor in segment.flat.items():
                    tensor.array.fill(self._initial(kind, layout.group))
                    stamp_write(tensor.array)
                segment.numbers.clear()
                segment.numbers.update(self._numbers({}, layout.group))

    def named_memory(self) -> dict[str, Tensor]:
        """Return the flat state arrays by name, numbered where there are several of a kind."""
        named: dict[str, Tensor] = {}
        count: Counter[str] = Counter()
        for layout in self._layouts.values():
            for segment in layout.segments:
                for kind, tensor in segment.flat.items():
                    count[kind] += 1
                    named[kind if count[kind] == 1 else f"{kind}_{count[kind]}"] = tensor
        return named

    def arrangement(self) -> tuple:
        """Return what is another when parameters are divided anew; compiled programs compare it."""
        return tuple(
            (id(segment), segment.alive)
            for layout in self._layouts.values()
            for segment in layout.segments
        )

    # Loading

    def _loaded(self, position, parameter: Tensor, group, entries) -> Any:
        loaded = super()._loaded(position, parameter, group, entries)
        loaded = {name: value for name, value in loaded.items() if value is not None}
        kinds = [kind for kind in self._kinds(group) if kind is not None]
        title = type(self).__name__
        strange = [name for name in loaded if name not in self.known]
        if strange:
            raise ValueError(
                f"the state of parameter {position} has {strange[0]!r}, which {title} does not "
                f"keep (it keeps {', '.join(self.known) or 'nothing'})"
            )
        if loaded:
            for name in kinds:
                if name not in loaded:
                    raise ValueError(f"the state of parameter {position} lacks {title}'s {name!r}")
                check_shape(position, name, loaded[name].array, parameter)
            self._numbers(loaded, group)
        return loaded

    def _commit(self, state: dict, groups: list[dict[str, Any]]) -> None:
        super()._commit(state, groups)
        self._layouts = {}


def _all_in(parameters: list[Tensor], members: set[int]) -> bool:
    return all([id(parameter) in members for parameter in parameters])


def _gradients(layout: Layout) -> list | None:
    """Return the segments to step with their gradients, None if it has to be divided anew."""
    work = []
    tracing = session.trace is not None
    for segment in layout.segments:
        if not segment.alive:
            return None
        gradients = []
        for parameter in segment.parameters:
            node = parameter.node
            gradient = node.grad if type(node) is Leaf and not tracing else parameter.grad
            if gradient is not None:
                # A compiled program may have left a promise in the leaf; the property keeps it.
                gradient = gradient if type(gradient) is Tensor else parameter.grad
                gradients.append(gradient.array)  # type: ignore[union-attr]
        if gradients:
            if len(gradients) < len(segment.parameters):
                return None
            work.append((segment, gradients))
    for parameter in layout.waiting:
        if parameter.grad is not None:
            return None
    return work


def _step_in_blocks(block_lists, segment: Segment, gradients, update, maximize: bool) -> None:
    """Step a segment of ndarrays, block by block, on two threads where that pays."""
    function, scalars, decay, shrink, after = update
    if decay is None and shrink is None:
        scalars = segment.scalars(scalars)
    else:
        *scalars, scale, factor = segment.scalars((*scalars, decay or 0.0, shrink or 0.0))
        decay = None if decay is None else scale
        shrink = None if shrink is None else factor
    for position in segment.large:
        gradients[position] = segment.flattened(gradients[position])

    def run(blocks) -> None:
        _run(blocks, gradients, maximize, decay, shrink, function, scalars, after)

    if len(block_lists) == 1:
        run(block_lists[0])
    else:
        worker.share(run, block_lists)


def _run(blocks, gradients, maximize, decay, shrink, function, scalars, after) -> None:
    """Step blocks, one after the other. (``out`` by position: a keyword costs 50 ns.)"""
    for block in blocks:
        parameters = block.parameters
        work = block.work
        if block.piece is None:
            gradient = block.gradient
            for view, part in zip(block.gradient_views, gradients[block.first : block.last]):
                view[...] = part
        else:
            gradient = gradients[block.first][block.piece]
        if maximize:
            gradient = negative(gradient, block.gradient)
        if decay is not None:
            for view, parameter in zip(block.work_views, parameters):
                multiply(parameter, decay, view)
            gradient = add(gradient, work, block.gradient)
        if shrink is not None:
            for parameter in parameters:
                multiply(parameter, shrink, parameter)
        function(gradient, *block.states, work, *scalars)
        for view, parameter in zip(block.work_views, parameters):
            subtract(parameter, view, parameter)
        if after is not None:
            for view, parameter in zip(block.gradient_views, parameters):
                view[...] = parameter
            after(block.gradient, *block.states, work, *scalars)


def _step_whole(segment: Segment, arrays, gradients, update, maximize: bool) -> None:
    """Step a segment in one piece: the form for a trace, which plans buffers by itself."""
    function, scalars, decay, shrink, after = update
    states = [None if kind is None else segment.flat[kind].array for kind in segment.kinds]
    gradient = np.concatenate(gradients, axis=None)
    if maximize:
        gradient = negative(gradient)
    if decay is not None:
        gradient = add(gradient, multiply(np.concatenate(arrays, axis=None), decay))
    if shrink is not None:
        for array in arrays:
            multiply(array, shrink, out=array)
    change = function(gradient, *states, None, *scalars)
    start = 0
    for array in arrays:
        part = change[start : start + array.size]
        subtract(array, part.reshape(array.shape), out=array)
        start += array.size
    if after is not None:
        after(np.concatenate(arrays, axis=None), *states, None, *scalars)
