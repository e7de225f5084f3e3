"""Trace: one run of a function on shadow memory, recorded call by call.

Every NumPy call that a run makes on tracers is noted with the regions that it reads and writes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.autograd.duck import Duck
from aino.autograd.memory import owner
from aino.autograd.node import Leaf
from aino.autograd.tensor import Tensor
from aino.compiler.ir.operations import UFUNC_METHODS, Operation, numpy_operation
from aino.compiler.ir.program import Call, collect_values
from aino.compiler.ir.regions import (
    Answer,
    Attribute,
    Method,
    Region,
    Storage,
    Subscript,
    address,
    region,
)
from aino.compiler.ir.symbolic import SymbolicNumber
from aino.compiler.tracing.context import Context
from aino.compiler.tracing.relied import Relied
from aino.compiler.tracing.tracer import Tracer
from aino.errors import CompileError
from aino.pytree import mapped, rebuild
from aino.tracing import unheard

_CREATE_LIKE = {np.zeros_like, np.ones_like, np.empty_like, np.full_like}
_DATA_DEPENDENT = {
    np.nonzero, np.flatnonzero, np.argwhere, np.unique, np.extract, np.compress, np.trim_zeros,
    np.union1d, np.intersect1d, np.setdiff1d, np.histogram, np.bincount,
}  # fmt: skip
_WRITES_FIRST = {np.put, np.putmask, np.place, np.put_along_axis, np.fill_diagonal}
_STRUCTURAL = {
    np.shape, np.ndim, np.size, np.result_type, np.can_cast, np.iscomplexobj, np.isrealobj,
    np.may_share_memory, np.shares_memory, np.min_scalar_type, np.common_type,
}  # fmt: skip


def manual_seed(generator, seed: int) -> None:
    """Start a generator anew, as a call of a program."""
    generator.manual_seed(seed)


class Trace(Relied):
    """What one traced run has met and done."""

    def __init__(self) -> None:
        super().__init__()
        self.context = Context()
        #: What the user's functions read by name.
        self.reading: Any = None
        #: Number arguments that the run needs as they are, by the names of their expressions.
        self.frozen: set[str] = set()
        self.numbers: dict[tuple[str, Any], Tracer] = {}
        #: Weakly, the numbers that item() has read; ``over`` when they are what they are.
        self.numbers_read: list[Any] = []
        #: Places in Python's world that are read anew at each call, by their names in expressions.
        self.places: dict[str, Any] = {}
        #: What the run has changed of Python's world.
        self.effects: list[Any] = []
        #: Why the run can't be made a second time, not even as it is; empty where it can.
        self.once_only = ""
        #: Float arguments: the name that stands for each in expressions, and what it stands for.
        self.floats: dict[str, str] = {}
        self.leaf_labels: dict[Leaf, str] = {}
        self._handling: dict[str, Any] = dict(np.geterr())
        #: How functions were told to handle overflow and its kin, where it is not as outside.
        self.quiet: dict[Any, dict[str, Any]] = {}

    # Recording

    def unwrap(self, tree, found: list[Tracer]):
        """Return an argument as the program sees it, and as the shadow run does."""
        if isinstance(tree, np.ndarray):
            tree = self.lift(tree)
        if type(tree) is Tracer:
            found.append(tree)
            return tree.value, tree.shadow
        if type(tree) is SymbolicNumber:
            return tree, tree.now
        if isinstance(tree, (tuple, list)):
            pairs = [self.unwrap(item, found) for item in tree]
            kind = list if isinstance(tree, list) else tuple
            return kind([value for value, _ in pairs]), kind([data for _, data in pairs])
        return tree, tree

    def wrap(self, result, inputs: list[Tracer], call: Call, position=None):
        """Return tracers for what a call returned, and note which memory it made.

        A result in the memory of an input is a region of that storage, and no new memory.
        """
        if isinstance(result, (tuple, list)):
            parts = [self.wrap(part, inputs, call, i) for i, part in enumerate(result)]
            return rebuild(type(result), parts)
        array = result if isinstance(result, np.ndarray) else np.asarray(result)
        for tracer in inputs:
            if np.may_share_memory(array, tracer.shadow):
                cut = Answer(call, position, tracer.value)
                return Tracer(self, region(tracer.value.storage, array, tracer.value, cut), array)
        storage = Storage("temporary")
        storage.address = address(array)
        self.storages.append(storage)
        call.results.append(region(storage, array))
        return Tracer(self, call.results[-1], array)

    def add(self, call: Call) -> None:
        """Append a call, with where it came from."""
        place = self.context.describe()
        call.section, call.primitive, call.rule, call.line, call.owner = place
        handling: dict[str, Any] = dict(np.geterr())
        if handling != self._handling:
            differing = {k: v for k, v in handling.items() if v != self._handling[k]}
            self.quiet.setdefault(call.function, differing)
        for value in call.touches():
            value.storage.written = True
        if call.results or call.touches() or call.effect:  # else only regions: no work to do
            self.calls.append(call)

    @unheard
    def call(self, operation, function, arguments, keywords, run) -> Any:
        """Record ``function`` on arguments that hold tracers; ``run`` computes on the shadows."""
        inputs: list[Tracer] = []
        values, shadows = self.unwrap(tuple(arguments), inputs)
        keyword_values, keyword_shadows = {}, {}
        for key, item in (keywords or {}).items():
            keyword_values[key], keyword_shadows[key] = self.unwrap(item, inputs)
        call = Call(operation, function, values, keyword_values, [])
        wrapped = self.wrap(run(*shadows, **keyword_shadows), inputs, call)
        self.add(call)
        return wrapped

    @unheard
    def ufunc(self, ufunc, method, inputs, out, keywords):
        """Record a ufunc or one of its methods; what holds others is theirs to answer."""
        if any([isinstance(x, (Tensor, Duck)) for x in inputs]):
            return NotImplemented
        if any([type(x) is SymbolicNumber for x in inputs]):
            kinds = [x.now if type(x) is SymbolicNumber else getattr(x, "dtype", x) for x in inputs]
            dtype = np.result_type(*kinds)
            inputs = [
                self.number_array(x, dtype) if type(x) is SymbolicNumber else x for x in inputs
            ]
        run = getattr(ufunc, method)
        if method == "at":
            found: list[Tracer] = []
            values, shadows = self.unwrap(tuple(inputs), found)
            run(*shadows)
            self.add(Call(Operation.AT, ufunc, values, {}, [], writes=[values[0]]))
            return None
        if out is None:
            return self.call(UFUNC_METHODS[method], ufunc, inputs, keywords, run)
        target = out[0] if isinstance(out, tuple) else out
        tracer = self.lift(target) if isinstance(target, np.ndarray) else target
        found = []
        values, shadows = self.unwrap(tuple(inputs), found)
        keyword_values, keyword_shadows = {}, {}
        for key, item in keywords.items():
            keyword_values[key], keyword_shadows[key] = self.unwrap(item, found)
        run(*shadows, out=tracer.shadow, **keyword_shadows)
        operation = UFUNC_METHODS[method]
        self.add(Call(operation, ufunc, values, keyword_values, [], out=tracer.value))
        return target

    @unheard
    def function(self, function, arguments, keywords, types=()):
        """Record a NumPy function that met a tracer; what holds others is theirs to answer."""
        if any([issubclass(kind, (Tensor, Duck)) for kind in types]):
            return NotImplemented
        if function in _DATA_DEPENDENT or (function is np.where and len(arguments) == 1):
            return self._of_constants(function, arguments, keywords)
        keywords = {key: value for key, value in keywords.items() if value is not np._NoValue}
        if function in _CREATE_LIKE:
            for item in (*arguments, *keywords.values()):
                if type(item) is SymbolicNumber:
                    float(item)  # which memory made by Python would freeze
            found: list[Tracer] = []
            _, shadows = self.unwrap(tuple(arguments), found)
            if function is np.empty_like:
                function = np.zeros_like  # what is in it is the same each time, then
            made = function(*shadows, **keywords)
            self._born_roots.add(id(made))
            self._made_alike.add(id(made))
            return self.lift(made)
        if function is np.repeat:
            arguments = (arguments[0], self._counts(arguments[1]), *arguments[2:])
        if function is np.copyto:
            return self._copy(*arguments, **keywords)
        if function in _STRUCTURAL:
            found = []
            _, shadows = self.unwrap(tuple(arguments), found)
            return function(*shadows, **keywords)
        if function in _WRITES_FIRST:
            found = []
            values, shadows = self.unwrap(tuple(arguments), found)
            keyword_values, keyword_shadows = {}, {}
            for key, item in keywords.items():
                keyword_values[key], keyword_shadows[key] = self.unwrap(item, found)
            function(*shadows, **keyword_shadows)
            written = [values[0]]
            self.add(Call(Operation.FUNCTION, function, values, keyword_values, [], writes=written))
            return None
        out = keywords.pop("out", None)
        if out is not None:
            self._copy(out, self.function(function, arguments, keywords))
            return out
        return self.call(numpy_operation(function), function, arguments, keywords, function)

    def _of_constants(self, function, arguments, keywords):
        """Return what a function gives whose shape depends on data that is always the same."""
        name = f"np.{function.__name__}"
        instead = "use aino.where with a mask"
        plain = [mapped(tree, lambda item: self.data_for_shape(item, name, instead))
                 for tree in (tuple(arguments), dict(keywords))]  # fmt: skip
        made = function(*plain[0], **plain[1])
        return mapped(made, self._born_constant)

    def _born_constant(self, array):
        """Return the tracer of an array that the run makes alike each time."""
        if not isinstance(array, np.ndarray):
            return array
        self._born_roots.add(id(owner(array)))
        return self.lift(array)

    def data_for_shape(self, item, what: str, instead: str):
        """Return an array that decides on a shape as plain data, if it never changes."""
        if type(item) is not Tracer:
            return item
        storage = item.value.storage
        if storage.kind == "constant" and not storage.written:
            plain = item.shadow.copy()
            self._born_roots.add(id(plain))
            self._kept.append(plain)
            return plain
        raise CompileError(
            f"the shape of what {what} gives depends on the data; a compiled program has fixed "
            f"shapes: {instead}{self.where()}"
        )

    def _counts(self, repeats):
        return self.data_for_shape(repeats, "np.repeat", "give repeats as a number or a list")

    def _copy(self, target, source, casting="same_kind", where=True):
        """Record a copy of ``source`` into the memory of ``target``."""
        tracer = self.lift(target) if isinstance(target, np.ndarray) else target
        found: list[Tracer] = []
        if where is not True:
            source = np.where(where, source, tracer)
        value, shadow = self.unwrap(source, found)
        tracer.shadow[...] = shadow
        self.add(Call(Operation.COPY, None, (value,), {}, [], out=tracer.value))

    @unheard
    def derive(self, tracer, name, arguments, keywords, result):
        """Return the tracer of what an array's attribute or method gave: a region, or a copy."""
        if np.may_share_memory(result, tracer.shadow) or (
            result.size == 0 and name not in ("copy", "astype")
        ):
            cut = Attribute(name) if arguments is None else Method(name, arguments, keywords or {})
            return self._view(tracer, cut, result)
        operation = Operation.ATTRIBUTE if arguments is None else Operation.METHOD
        values = (tracer.value, *(arguments or ()))
        call = Call(operation, name, values, dict(keywords or {}), [])
        wrapped = self.wrap(result, [], call)
        self.add(call)
        return wrapped

    def _view(self, tracer, cut, result):
        """Return the tracer of a region that is cut out of another."""
        return Tracer(self, region(tracer.value.storage, result, tracer.value, cut), result)

    @unheard
    def subscript(self, tracer, index):
        """Record ``array[index]``."""
        found: list[Tracer] = []
        values, shadows = self.unwrap(index, found)
        result = tracer.shadow[shadows]
        if not found and isinstance(result, np.ndarray):
            if np.may_share_memory(result, tracer.shadow) or result.size == 0:
                return self._view(tracer, Subscript(values), result)
        call = Call(Operation.GET, None, (tracer.value, values), {}, [])
        wrapped = self.wrap(result, [], call)
        self.add(call)
        return wrapped

    @unheard
    def assign(self, tracer, index, source) -> None:
        """Record ``array[index] = source``."""
        self.refuse_mask(index)
        found: list[Tracer] = []
        values, shadows = self.unwrap(index, found)
        target = tracer.shadow[shadows]
        if not found and isinstance(target, np.ndarray):
            if np.may_share_memory(target, tracer.shadow) or target.size == 0:
                self._copy(self._view(tracer, Subscript(values), target), source)
                return
        value, shadow = self.unwrap(source, found)
        tracer.shadow[shadows] = shadow
        self.add(
            Call(Operation.SET, None, (tracer.value, values, value), {}, [], writes=[tracer.value])
        )

    def refuse_mask(self, index) -> None:
        """Raise for a boolean mask: how many elements it takes depends on the data."""
        for part in index if isinstance(index, tuple) else (index,):
            if isinstance(part, (Tracer, np.ndarray)) and part.dtype.kind == "b":
                raise CompileError(
                    "the shape of x[mask] depends on the data; a compiled program has fixed "
                    f"shapes: use aino.where(mask, x, 0){self.where()}"
                )

    def check(self, check, arguments) -> None:
        """Record a check of values, which raises now or at a later call."""
        values, shadows = self.unwrap(tuple(arguments), [])
        check(*shadows)
        self.add(Call(Operation.CHECK, check, values, {}, []))

    def opaque(self, kernel, arguments):
        """Record a kernel that can't be traced into as one call."""
        return self.call(Operation.KERNEL, kernel, arguments, {}, kernel)

    def reseed(self, generator, seed: int) -> None:
        """Record that a generator starts anew."""
        if id(generator) not in self.generators:
            self.generators[id(generator)] = (generator, generator.get_state())
        generator.manual_seed(seed)
        self.add(Call(Operation.SEED, manual_seed, (generator, seed), {}, []))

    def exchange(self, kernel, arguments, written) -> None:
        """Record what is exchanged with other processes: the program does it again, in order."""
        values, shadows = self.unwrap(tuple(arguments), [])
        kernel(*shadows)
        touched: list[Region] = []
        collect_values(tuple([values[place] for place in written]), touched)
        self.add(Call(Operation.EXCHANGE, kernel, values, {}, [], writes=touched))

    def draw(self, function, generator, arguments):
        """Record a random draw: the program makes it again, in the same order."""
        if id(generator) not in self.generators:
            self.generators[id(generator)] = (generator, generator.get_state())
        specs, shadows = self.unwrap(tuple(arguments), [])
        call = Call(Operation.DRAW, function, (generator, *specs), {}, [])
        wrapped = self.wrap(function(generator, *shadows), [], call)
        self.add(call)
        return wrapped

    def number_array(self, number: SymbolicNumber, dtype) -> Tracer:
        """Return the tracer of a 0-d array that holds a number of the running program."""
        key = (number.source, dtype)
        if key not in self.numbers:
            call = Call(Operation.NUMBER, None, (number, dtype), {}, [])
            self.numbers[key] = self.wrap(np.array(number.now, dtype), [], call)
            self.add(call)
        return self.numbers[key]

    def copied(self, tracer) -> Region:
        """Return the region of a tracer as it is now, whatever is written there later."""
        if tracer.value.storage.kind == "temporary" and not tracer.value.storage.written:
            return tracer.value
        copy: Any = np.copy(tracer)
        return copy.value

    def let_go(self) -> None:
        """Drop the shadow memory, and the tracers that hold it."""
        self.over = True
        super().let_go()
        self.numbers.clear()
        # Numbers know their trace.
        self.calls, self.updates = [], {}
