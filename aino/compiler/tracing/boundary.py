"""What a traced run meets of the world outside, and how it is left at the end.

Arrays that the function meets are copied, the copies are computed on, and at the end they are
written back, so that a traced run does what an ordinary run does; a refusal drops them, and
nothing has changed.
"""

from __future__ import annotations

import weakref
from typing import Any

from aino.autograd.duck import Duck
from aino.autograd.memory import owner, stamp_write
from aino.autograd.node import Leaf
from aino.autograd.tensor import Tensor
from aino.compiler.ir.regions import Given, Region, Storage, address, region
from aino.compiler.ir.symbolic import SymbolicNumber
from aino.compiler.tracing.context import user_line
from aino.compiler.tracing.lifting import UNTOUCHED, slot_of
from aino.compiler.tracing.shadows import shadow_of, window
from aino.compiler.tracing.tracer import Tracer
from aino.errors import CompileError
from aino.tracing import unheard


class Outside:
    """The part of a trace that stands for tensors, leaves and generators from outside."""

    def __init__(self) -> None:
        #: Tensors and leaves from outside, in the order they were met.
        self.tensors: dict[int, Tensor] = {}
        self.leaves: dict[Leaf, Any] = {}
        self.read_first: dict[Leaf, bool] = {}
        #: How many calls had been made when the gradient of a leaf was set first.
        self.set_first: dict[Leaf, int] = {}
        #: Leaves that come with the arguments, by the argument's name.
        self.argument_leaves: dict[Leaf, str] = {}
        self.updates: dict[tuple[int, Any], tuple[Any, Any, SymbolicNumber]] = {}
        self.generators: dict[int, tuple[Any, Any]] = {}
        self.calls: list[Any] = []
        self.storages: list[Storage] = []
        self._lifted: dict[int, Tracer] = {}
        self._places: dict[int, Region] = {}
        self._roots: dict[int, Storage] = {}
        self._kept: list[Any] = []
        self._arguments: dict[int, tuple[Tensor, str]] = {}
        self._born: dict[int, weakref.ref] = {}
        self._born_roots: set[int] = set()
        #: Those that ``zeros_like`` and its kin made for a rule: nobody outside knows them.
        self._made_alike: set[int] = set()
        self._born_leaves: weakref.WeakSet = weakref.WeakSet()
        self._undo: list[Any] = []
        #: Tensors from outside with the node and the view that they had.
        self._history: dict[int, tuple[Tensor, Any, Any]] = {}

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
        return self._hold(array, storage, storage.whole, Given(array))

    def _adopt(self, storage: Storage, root) -> Storage:
        """Give a storage its shadow memory."""
        shadow = shadow_of(root)
        storage.shadow = shadow
        storage.address = address(shadow)
        if storage.kind == "constant":
            storage.initial = shadow_of(root)
        self.storages.append(storage)
        self._roots[id(root)] = storage
        tracer = Tracer(self, region(storage, shadow), shadow)
        self._lifted[id(root)] = tracer
        self._kept.append(root)
        return storage

    def _hold(self, array, storage: Storage, parent, cut) -> Tracer:
        """Return the tracer for a region of an outside root."""
        offset = address(array) - address(storage.root)
        shadow = window(storage.shadow, offset, array)
        tracer = Tracer(self, region(storage, shadow, parent, cut), shadow)
        self._lifted[id(array)] = tracer
        self._kept.append(array)
        return tracer

    def add_argument(self, array, name: str, given) -> None:
        """Take an array that is given at each call."""
        if id(array) not in self._lifted:
            self._give(Storage("argument", array, name))
        if isinstance(given, Tensor):
            self._arguments.setdefault(id(given), (given, name))
            self._note_history(given)
            if type(given.node) is Leaf:
                self.leaves.setdefault(given.node, UNTOUCHED)
                self.argument_leaves[given.node] = name

    def _give(self, storage: Storage) -> Tracer:
        """Take in an array that is another at each call: it is known by its place."""
        array = storage.root
        shadow = shadow_of(array)
        storage.shadow, storage.address = shadow, address(shadow)
        self.storages.append(storage)
        self._kept.append(array)
        if array.base is None:
            self._roots.setdefault(id(array), storage)
        tracer = self._lifted[id(array)] = Tracer(self, region(storage, shadow), shadow)
        return tracer

    @unheard
    def lift_tensor(self, tensor: Tensor, array) -> Any:
        """Return the tracer that stands for the array of a tensor that is being read."""
        if type(array) is Tracer:
            if array.trace is not self:
                raise CompileError(
                    "a tensor from another trace was met: it was made inside a compiled function "
                    f"and kept outside{self.where()}"
                )
            return array
        if isinstance(array, Duck):
            return array  # of a transform, over tracers
        known = id(tensor) in self.tensors or id(tensor) in self._arguments
        if not known and not self.made(tensor):
            self.tensors[id(tensor)] = tensor
            self._note_history(tensor)
            if type(tensor.node) is Leaf:
                self.leaves.setdefault(tensor.node, UNTOUCHED)
        return self.lift(array)

    def _note_history(self, tensor: Tensor) -> None:
        if type(tensor).node is Tensor.node:  # else it is computed, as that of a row of a layer
            self._history.setdefault(id(tensor), (tensor, tensor.node, tensor.view_of))

    def with_new_history(self) -> list[Tensor]:
        """Return the tensors from outside that lead into the trace since it began."""
        return [
            tensor for tensor, node, _ in self._history.values()
            if tensor.node is not node and tensor.node is not None and type(tensor.node) is not Leaf
        ]  # fmt: skip

    def made(self, tensor: Tensor) -> bool:
        """Tell whether a tensor was made in the trace."""
        born = self._born.get(id(tensor))
        return born is not None and born() is tensor

    def argument_name(self, tensor: Tensor) -> str | None:
        """Return the name of a tensor that is one of the arguments, None if it is not."""
        known = self._arguments.get(id(tensor))
        return known[1] if known is not None else None

    def is_place_of(self, tracer, array) -> bool:
        """Tell whether a tracer stands for just this array from outside."""
        known = self._lifted.get(id(array))
        return known is not None and type(tracer) is Tracer and known.value is tracer.value

    @unheard
    def born(self, tensor: Tensor, array, before) -> None:
        """Note a tensor that was made in the trace, or whose array was exchanged there."""
        if before is UNTOUCHED:
            self._born[id(tensor)] = weakref.ref(tensor)
            if isinstance(array, Duck):
                return
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

    @unheard
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

    @unheard
    def set_gradient(self, leaf: Leaf, before) -> None:
        """Note that a leaf's ``grad`` is about to be replaced."""
        if before is UNTOUCHED:
            self._born_leaves.add(leaf)
        elif leaf not in self._born_leaves:
            self.set_first.setdefault(leaf, len(self.calls))
            if self.leaves.get(leaf, UNTOUCHED) is UNTOUCHED:
                self.leaves[leaf] = before
            self.read_first.setdefault(leaf, None)  # type: ignore[arg-type]

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
        for tensor, node, view in self._history.values():
            tensor.node, tensor.view_of = node, view

    def survivors(self) -> list[Tensor]:
        """Return the tensors made in the trace that are alive and still hold tracers."""
        alive = [reference() for reference in self._born.values()]
        return [x for x in alive if x is not None and type(slot_of(x)) is Tracer]

    def place_of(self, array) -> Region | None:
        """Return the region of an outside array, None if it was not met."""
        tracer = self._lifted.get(id(array))
        return self._places.get(id(array)) if tracer is None else tracer.value

    def leaf_tensors(self) -> list[tuple[Leaf, Tensor]]:
        """Return the leaves from outside with their tensors."""
        return [(x.node, x) for x in self.tensors.values() if type(x.node) is Leaf]

    def let_go(self) -> None:
        """Drop the shadow memory: the run is over, and a program needs none of it."""
        for storage in self.storages:
            storage.shadow = None
        repeating = set()
        for storage in self.storages:
            root = storage.root
            if id(root) in self._made_alike and storage.keep_one_number():
                repeating.add(id(root))
        self._kept = [array for array in self._kept if id(array) not in repeating]
        self._places = {
            key: tracer.value for key, tracer in self._lifted.items() if key not in repeating
        }
        for known in (self._lifted, self._roots, self._born, self.leaves, self.set_first,
                      self._history):  # fmt: skip
            known.clear()
        self._undo.clear()

    def real_array(self, tracer: Tracer):
        """Return the memory a tracer stands for, now that the run is real."""
        storage = tracer.value.storage
        if storage.root is None:
            return tracer.shadow
        if tracer.value is storage.whole:
            return storage.root
        if type(tracer.value.cut) is Given:
            return tracer.value.cut.array
        return window(storage.root, tracer.value.offset, tracer.shadow)
