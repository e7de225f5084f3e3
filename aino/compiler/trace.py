"""Trace: one run of a function on shadow memory, recorded call by call.

Arrays that the function meets are copied, the copies are computed on, and every NumPy call is
noted. At the end the copies are written back, so that a traced run does what an ordinary run
does; a refusal drops them, and nothing has changed.
"""

from __future__ import annotations

import mmap
import weakref
from typing import Any

import numpy as np

from aino.autograd.memory import owner, stamp_write
from aino.autograd.node import Leaf
from aino.autograd.tensor import Tensor
from aino.compiler.context import Context, user_line
from aino.compiler.lifting import UNTOUCHED, slot_of
from aino.compiler.number import Mapping, Number
from aino.compiler.program import (
    Call,
    Storage,
    Value,
    address,
    number_array,
    rebuild,
    region,
)
from aino.compiler.tracer import Tracer
from aino.errors import CompileError

#: Bytes from which memory is asked of the system itself.
LARGE = 1 << 20

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


def shadow_of(array):
    """Return a copy of an array to compute on; a large one in pages that go back when it goes.

    What ``malloc`` gets back of that size it keeps, and a step would be seen to need it for good.
    """
    if array.nbytes < LARGE or not array.flags.c_contiguous:
        return array.copy(order="K")
    shadow = np.ndarray(array.shape, array.dtype, mmap.mmap(-1, array.nbytes))
    shadow[...] = array
    return shadow


class Trace:
    """What one traced run has met and done."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.context = Context()
        self.guards: dict[str, Any] = {}
        self.entries: list[tuple[Any, Any]] = []
        self.updates: dict[tuple[int, Any], tuple[Any, Any, Number]] = {}
        self.containers: dict[str, Any] = {}
        #: Tensors and leaves from outside, in the order they were met.
        self.tensors: dict[int, Tensor] = {}
        self.leaves: dict[Leaf, Any] = {}
        self.read_first: dict[Leaf, bool] = {}
        self.numbers: dict[tuple[str, Any], Tracer] = {}
        self.generators: dict[int, tuple[Any, Any]] = {}
        self.storages: list[Storage] = []
        self._lifted: dict[int, Tracer] = {}
        self._places: dict[int, Value] = {}
        self._roots: dict[int, Storage] = {}
        self._kept: list[Any] = []
        self._arguments: dict[int, tuple[Tensor, str]] = {}
        self._born: dict[int, weakref.ref] = {}
        self._born_roots: set[int] = set()
        self._born_leaves: weakref.WeakSet = weakref.WeakSet()
        self._undo: list[Any] = []
        self.entries_set = False
        #: Float arguments: the name that stands for each in expressions, and what it stands for.
        self.floats: dict[str, str] = {}
        self.leaf_labels: dict[Leaf, str] = {}
        self._handling: dict[str, Any] = dict(np.geterr())
        #: How functions were told to handle overflow and its kin, where it is not as outside.
        self.quiet: dict[Any, dict[str, Any]] = {}
        #: Leaves that come with the arguments, by the argument's name.
        self.argument_leaves: dict[Leaf, str] = {}

    def where(self) -> str:
        """Return the user's file and line, for an error."""
        return user_line()

    # Memory from outside

    def lift(self, array) -> Tracer:
        """Return the tracer that stands for an array that exists outside the trace."""
        known = self._lifted.get(id(array))
        if known is not None:
            return known
        if array.dtype.kind not in "biufc":
            raise CompileError(f"an array of dtype {array.dtype} can't be compiled{self.where()}")
        root = owner(array)
        storage = self._roots.get(id(root))
        if storage is None:
            kind = "constant" if id(root) in self._born_roots else "static"
            storage = self._adopt(Storage(kind, root), root)
        if array is root:
            return self._lifted[id(array)]
        return self._hold(array, storage, storage.whole, ("bound", array))

    def _adopt(self, storage: Storage, root) -> Storage:
        """Give a storage its shadow memory."""
        shadow = shadow_of(root)
        if shadow.strides != root.strides and root.size > 1:
            shadow = np.lib.stride_tricks.as_strided(
                np.empty(sum((n - 1) * abs(s) for n, s in zip(root.shape, root.strides))
                         // root.itemsize + 1, root.dtype), root.shape, root.strides)  # fmt: skip
            shadow[...] = root
        storage.shadow = shadow
        storage.address = address(shadow)
        if storage.kind == "constant":
            storage.initial = root.copy(order="K")
        self.storages.append(storage)
        self._roots[id(root)] = storage
        tracer = Tracer(self, region(storage, shadow), shadow)
        self._lifted[id(root)] = tracer
        self._kept.append(root)
        return storage

    def _hold(self, array, storage: Storage, parent, how) -> Tracer:
        """Return the tracer for a region of an outside root."""
        offset = address(array) - address(storage.root)
        flat = storage.shadow.reshape(-1) if storage.shadow.flags.c_contiguous else (
            storage.shadow.T.reshape(-1))  # fmt: skip
        shadow = np.ndarray(array.shape, array.dtype, flat, offset, array.strides)
        tracer = Tracer(self, region(storage, shadow, parent, how), shadow)
        self._lifted[id(array)] = tracer
        self._kept.append(array)
        return tracer

    def add_argument(self, array, name: str, given) -> None:
        """Take an array that is given at each call."""
        if id(array) not in self._lifted:
            self._give(Storage("argument", array, name))
        if isinstance(given, Tensor):
            self._arguments.setdefault(id(given), (given, name))
            if type(given.node) is Leaf:
                self.leaves.setdefault(given.node, UNTOUCHED)
                self.argument_leaves[given.node] = name

    def _give(self, storage: Storage) -> Tracer:
        """Take in an array that is another at each call: it is known by its place."""
        array = storage.root
        shadow = array.copy(order="K")
        storage.shadow, storage.address = shadow, address(shadow)
        self.storages.append(storage)
        self._kept.append(array)
        if array.base is None:
            self._roots.setdefault(id(array), storage)
        tracer = self._lifted[id(array)] = Tracer(self, region(storage, shadow), shadow)
        return tracer

    def lift_tensor(self, tensor: Tensor, array) -> Tracer:
        """Return the tracer that stands for the array of a tensor that is being read."""
        if type(array) is Tracer:
            if array.trace is not self:
                raise CompileError(
                    "a tensor from another trace was met: it was made inside a compiled function "
                    f"and kept outside{self.where()}"
                )
            return array
        known = id(tensor) in self.tensors or id(tensor) in self._arguments
        if not known and not self.made(tensor):
            self.tensors[id(tensor)] = tensor
            if type(tensor.node) is Leaf:
                self.leaves.setdefault(tensor.node, UNTOUCHED)
        return self.lift(array)

    def made(self, tensor: Tensor) -> bool:
        """Tell whether a tensor was made in the trace."""
        born = self._born.get(id(tensor))
        return born is not None and born() is tensor

    def argument_name(self, tensor: Tensor) -> str | None:
        """Return the name of a tensor that is one of the arguments, None if it is not."""
        known = self._arguments.get(id(tensor))
        return known[1] if known is not None else None

    def born(self, tensor: Tensor, array, before) -> None:
        """Note a tensor that was made in the trace, or whose array was exchanged there."""
        if before is UNTOUCHED:
            self._born[id(tensor)] = weakref.ref(tensor)
            if type(array) is not Tracer and id(array) not in self._lifted:
                root = owner(array)
                if array.base is None and id(root) not in self._roots:
                    # Memory that the step makes itself, such as aino.zeros(3).
                    self._born_roots.add(id(root))
                    self._kept.append(root)
            return
        known = self._born.get(id(tensor))
        if known is None or known() is not tensor:
            self._undo.append((tensor, before))
            raise CompileError(
                "the array of a tensor was exchanged (tensor.data = ...), which a compiled step "
                f"would not do again; write into it with copy_(){self.where()}"
            )

    # Gradients of leaves, read and set by where they are

    def read_gradient(self, leaf: Leaf, gradient):
        """Return what a leaf's ``grad`` holds; that of an outside leaf is given at each call."""
        if leaf in self._born_leaves:
            return gradient
        if leaf not in self.read_first:
            self.read_first[leaf] = gradient is not None
            self.leaves[leaf] = gradient
            if gradient is not None and id(slot_of(gradient)) not in self._lifted:
                self._give(Storage("gradient", slot_of(gradient), leaf=leaf))
        return gradient

    def set_gradient(self, leaf: Leaf, before) -> None:
        """Note that a leaf's ``grad`` is about to be replaced."""
        if before is UNTOUCHED:
            self._born_leaves.add(leaf)
        elif leaf not in self._born_leaves:
            if self.leaves.get(leaf, UNTOUCHED) is UNTOUCHED:
                self.leaves[leaf] = before
            self.read_first.setdefault(leaf, None)  # type: ignore[arg-type]

    # Recording

    def unwrap(self, tree, found: list[Tracer]):
        """Return an argument as the program sees it, and as the shadow run does."""
        if isinstance(tree, np.ndarray):
            tree = self.lift(tree)
        if type(tree) is Tracer:
            found.append(tree)
            return tree.value, tree.shadow
        if type(tree) is Number:
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
                how = ("call", call, position, tracer.value)
                return Tracer(self, region(tracer.value.storage, array, tracer.value, how), array)
        storage = Storage("temporary")
        storage.address = address(array)
        self.storages.append(storage)
        call.results.append(region(storage, array))
        return Tracer(self, call.results[-1], array)

    def add(self, call: Call) -> None:
        """Append a call, with where it came from."""
        call.section, call.primitive, call.rule, call.line = self.context.describe()
        handling: dict[str, Any] = dict(np.geterr())
        if handling != self._handling:
            differing = {k: v for k, v in handling.items() if v != self._handling[k]}
            self.quiet.setdefault(call.function, differing)
        for value in call.touches():
            value.storage.written = True
        if call.results or call.touches() or call.effect:  # else only regions: no work to do
            self.calls.append(call)

    def call(self, function, method, arguments, keywords, run) -> Any:
        """Record ``function`` on arguments that hold tracers; ``run`` computes on the shadows."""
        inputs: list[Tracer] = []
        values, shadows = self.unwrap(tuple(arguments), inputs)
        keyword_values, keyword_shadows = {}, {}
        for key, item in (keywords or {}).items():
            keyword_values[key], keyword_shadows[key] = self.unwrap(item, inputs)
        call = Call(function, method, values, keyword_values, [])
        wrapped = self.wrap(run(*shadows, **keyword_shadows), inputs, call)
        self.add(call)
        return wrapped

    def ufunc(self, ufunc, method, inputs, out, keywords):
        """Record a ufunc or one of its methods."""
        if any([type(x) is Number for x in inputs]):
            kinds = [x.now if type(x) is Number else getattr(x, "dtype", x) for x in inputs]
            dtype = np.result_type(*kinds)
            inputs = [self.number_array(x, dtype) if type(x) is Number else x for x in inputs]
        run = getattr(ufunc, method)
        if method == "at":
            found: list[Tracer] = []
            values, shadows = self.unwrap(tuple(inputs), found)
            run(*shadows)
            self.add(Call(ufunc, method, values, {}, [], writes=[values[0]]))
            return None
        if out is None:
            return self.call(ufunc, method, inputs, keywords, run)
        target = out[0] if isinstance(out, tuple) else out
        tracer = self.lift(target) if isinstance(target, np.ndarray) else target
        found = []
        values, shadows = self.unwrap(tuple(inputs), found)
        keyword_values, keyword_shadows = {}, {}
        for key, item in keywords.items():
            keyword_values[key], keyword_shadows[key] = self.unwrap(item, found)
        run(*shadows, out=tracer.shadow, **keyword_shadows)
        self.add(Call(ufunc, method, values, keyword_values, [], out=tracer.value))
        return target

    def function(self, function, arguments, keywords):
        """Record a NumPy function that met a tracer."""
        if function in _DATA_DEPENDENT or (function is np.where and len(arguments) == 1):
            raise CompileError(
                f"the shape of np.{function.__name__}'s result depends on the data; a compiled "
                f"program has fixed shapes: use aino.where with a mask{self.where()}"
            )
        keywords = {key: value for key, value in keywords.items() if value is not np._NoValue}
        if function in _CREATE_LIKE:
            found: list[Tracer] = []
            _, shadows = self.unwrap(tuple(arguments), found)
            made = function(*shadows, **keywords)
            self._born_roots.add(id(made))
            return self.lift(made)
        if function is np.copyto:
            return self._copy(*arguments)
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
            self.add(Call(function, "", values, keyword_values, [], writes=[values[0]]))
            return None
        out = keywords.pop("out", None)
        if out is not None:
            self._copy(out, self.function(function, arguments, keywords))
            return out
        return self.call(function, "", arguments, keywords, function)

    def _copy(self, target, source, casting="same_kind", where=True):
        """Record a copy of ``source`` into the memory of ``target``."""
        tracer = self.lift(target) if isinstance(target, np.ndarray) else target
        found: list[Tracer] = []
        value, shadow = self.unwrap(source, found)
        tracer.shadow[...] = shadow
        self.add(Call(np.copyto, "", (value,), {}, [], out=tracer.value))

    def derive(self, tracer, name, arguments, keywords, result):
        """Return the tracer of what an array's attribute or method gave: a region, or a copy."""
        if np.may_share_memory(result, tracer.shadow) or (
            result.size == 0 and name not in (".copy", ".astype")
        ):
            storage = tracer.value.storage
            how = (name, arguments, keywords)
            return Tracer(self, region(storage, result, tracer.value, how), result)
        call = Call(name, "method", (tracer.value, *(arguments or ())), dict(keywords or {}), [])
        wrapped = self.wrap(result, [], call)
        self.add(call)
        return wrapped

    def subscript(self, tracer, index):
        """Record ``array[index]``."""
        found: list[Tracer] = []
        values, shadows = self.unwrap(index, found)
        result = tracer.shadow[shadows]
        if not found and isinstance(result, np.ndarray):
            return self.derive(tracer, "[]", (values,), {}, result)
        call = Call("[]", "method", (tracer.value, values), {}, [])
        wrapped = self.wrap(result, [], call)
        self.add(call)
        return wrapped

    def assign(self, tracer, index, source) -> None:
        """Record ``array[index] = source``."""
        self.refuse_mask(index)
        found: list[Tracer] = []
        values, shadows = self.unwrap(index, found)
        target = tracer.shadow[shadows]
        if not found and isinstance(target, np.ndarray):
            self._copy(self.derive(tracer, "[]", (values,), {}, target), source)
            return
        value, shadow = self.unwrap(source, found)
        tracer.shadow[shadows] = shadow
        self.add(
            Call("[]=", "method", (tracer.value, values, value), {}, [], writes=[tracer.value])
        )

    def refuse_mask(self, index) -> None:
        """Raise for a boolean mask: how many elements it takes depends on the data."""
        for part in index if isinstance(index, tuple) else (index,):
            if isinstance(part, (Tracer, np.ndarray)) and part.dtype.kind == "b":
                raise CompileError(
                    "the shape of x[mask] depends on the data; a compiled program has fixed "
                    f"shapes: use aino.where(mask, x, 0){self.where()}"
                )

    def opaque(self, kernel, arguments):
        """Record a kernel that can't be traced into as one call."""
        return self.call(kernel, "", arguments, {}, kernel)

    def reseed(self, generator, seed: int) -> None:
        """Record that a generator starts anew."""
        if id(generator) not in self.generators:
            self.generators[id(generator)] = (generator, generator.get_state())
        generator.manual_seed(seed)
        self.add(Call(manual_seed, "", (generator, seed), {}, [], effect=True))

    def draw(self, function, generator, arguments):
        """Record a random draw: the program makes it again, in the same order."""
        if id(generator) not in self.generators:
            self.generators[id(generator)] = (generator, generator.get_state())
        specs, shadows = self.unwrap(tuple(arguments), [])
        call = Call(function, "", (generator, *specs), {}, [], effect=True)
        wrapped = self.wrap(function(generator, *shadows), [], call)
        self.add(call)
        return wrapped

    # Numbers

    def number_array(self, number: Number, dtype) -> Tracer:
        """Return the tracer of a 0-d array that holds a number of the running program."""
        key = (number.source, dtype)
        if key not in self.numbers:
            call = Call(number_array, "", (number, dtype), {}, [])
            self.numbers[key] = self.wrap(number_array(number.now, dtype), [], call)
            self.add(call)
        return self.numbers[key]

    def guard(self, source: str, outcome) -> None:
        """Note a comparison that the program relies on."""
        self.guards[source] = outcome

    def turns(self) -> tuple:
        """Return which way the run went where it may go another: comparisons, gradients there."""
        return tuple(self.guards.items()), tuple(self.read_first.values())

    def guard_entry(self, container, source: str, value) -> None:
        """Note a plain entry of a group that the program relies on."""
        self.entries.append((source, value))

    def mapping(self, container) -> Mapping:
        """Return a group, or a state, whose numbers stand for themselves."""
        for label, known in self.containers.items():
            if known is container:
                return Mapping(self, container, label)
        label = f"group{len(self.containers)}"
        self.containers[label] = container
        return Mapping(self, container, label)

    def written_number(self, container, key):
        """Return the expression that the step has put into a container, None if it has not."""
        update = self.updates.get((id(container), key))
        return None if update is None else update[2]

    def write_number(self, container, key, number: Number) -> None:
        """Note that the step writes a number back."""
        self.updates[(id(container), key)] = (container, key, number)

    def set_entry(self, container, key, value) -> None:
        """Set a plain entry, as the step does once (making its state), with a way back."""
        if type(value) in (int, float) and type(container.get(key)) in (int, float):
            self.write_number(container, key, Number(self, value, repr(value)))
            return
        self.entries_set = True
        self._undo.append((container, key, container.get(key, UNTOUCHED)))
        container[key] = value

    # The end

    def commit(self) -> None:
        """Make the run real: write the shadows back, and give kept tensors their arrays."""
        for storage in self.storages:
            if storage.written and storage.root is not None:
                if storage.kind == "argument" or storage.root.flags.writeable:
                    storage.root[...] = storage.shadow
                    stamp_write(storage.root)
        for container, key, number in self.updates.values():
            container[key] = number.now
        for tensor in self.survivors():
            tensor.array = self.real_array(slot_of(tensor))

    def abort(self) -> None:
        """Undo what the run did to Python objects; the memory outside was never touched."""
        for leaf, before in self.leaves.items():
            if before is not UNTOUCHED:
                leaf.grad = before
        for entry in reversed(self._undo):
            if len(entry) == 2:
                entry[0].array = entry[1]
            elif entry[2] is UNTOUCHED:
                entry[0].pop(entry[1], None)
            else:
                entry[0][entry[1]] = entry[2]
        for generator, state in self.generators.values():
            generator.set_state(state)
        for tensor in self.survivors():
            tensor.array = slot_of(tensor).shadow

    def survivors(self) -> list[Tensor]:
        """Return the tensors made in the trace that are alive and still hold tracers."""
        alive = [reference() for reference in self._born.values()]
        return [x for x in alive if x is not None and type(slot_of(x)) is Tracer]

    def place_of(self, array) -> Value | None:
        """Return the region of an outside array, None if it was not met."""
        tracer = self._lifted.get(id(array))
        return self._places.get(id(array)) if tracer is None else tracer.value

    def leaf_tensors(self) -> list[tuple[Leaf, Tensor]]:
        """Return the leaves from outside with their tensors."""
        return [(x.node, x) for x in self.tensors.values() if type(x.node) is Leaf]

    def let_go(self) -> None:
        """Drop the shadow memory: the run is over, and a program needs none of it.

        Storages and regions know each other, so that only the collector would find it.
        """
        for storage in self.storages:
            storage.shadow = None
        self._places = {key: tracer.value for key, tracer in self._lifted.items()}
        for known in (self._lifted, self._roots, self._born, self.numbers, self.leaves):
            known.clear()
        self._undo.clear()

    def real_array(self, tracer: Tracer):
        """Return the memory a tracer stands for, now that the run is real."""
        storage = tracer.value.storage
        if storage.root is None:
            return tracer.shadow
        if tracer.value is storage.whole:
            return storage.root
        how = tracer.value.how
        if how is not None and how[0] == "bound":
            return how[1]
        root = storage.root
        flat = root.reshape(-1) if root.flags.c_contiguous else root.T.reshape(-1)
        return np.ndarray(
            tracer.shape, tracer.dtype, flat, tracer.value.offset, tracer.shadow.strides
        )
