"""From recorded nodes and a watched backward pass to a worked exercise."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Container, Iterable, Mapping
from typing import Any

import numpy as np

from aino.autograd.node import Leaf, Node, TupleOutput
from aino.autograd.primitive import REGISTRY
from aino.autograd.tensor import Tensor, make
from aino.drawing.names import Names, kind_of
from aino.drawing.numbers import brief, parameter_text
from aino.drawing.values import Values, edges_of, saved_of
from aino.explaining import expressions as e
from aino.explaining.exercise import Answer, Exercise, Operation, Part, Quantity, Step
from aino.explaining.owners import Owners
from aino.explaining.passing import (
    Local,
    Visit,
    has_hooks,
    local_derivative,
    reachable,
    rule_values,
    title_of,
    watch,
)
from aino.explaining.reading import read_rule
from aino.explaining.reasons import nothing_reaches, why_zero
from aino.explaining.wording import SLOPES, backward_words, undone_words

_SUBSCRIPT = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


class Builder:
    """Makes the exercise of one backward pass."""

    def __init__(
        self, output: Tensor, seed: np.ndarray, wanted: list[tuple[str, Tensor]] | None,
        names: Names, numbers: int, limit: int, owners: Owners,
    ) -> None:  # fmt: skip
        assert output.node is not None
        self.root: Node = output.node
        self.names = names
        self.nodes = reachable(self.root)
        tensors = {
            node: named.tensor for node in self.nodes if (named := names.of_node(node)) is not None
        }
        tensors.setdefault(self.root, output)
        self.values = Values(self.nodes, tensors, {})
        self.taken: set[str] = set()
        self.quantities: dict[Any, Quantity] = {}
        self.numbered = Counter[str]()
        for node in self.nodes:  # names that are given come before names that are made
            said = self._said(node)
            if said:
                self._quantity(node, said)
        if self.root not in self.quantities:
            self._quantity(self.root, "L" if output.array.ndim == 0 else "y")
        for node in self.nodes:
            if not isinstance(node, TupleOutput) and not self._is_several(node):
                self._of(node)
        leaves = [node for node in self.nodes if type(node) is Leaf]
        targets: Any = wanted
        if wanted is None:
            targets = [(self._of(node).name, make(None, node)) for node in leaves]
        sought = {t.node for _, t in targets}.intersection(self.nodes)
        visits, rest, gradients = (
            watch(self.root, seed, sought, self.nodes, limit) if sought else ([], {}, {})
        )
        self.exercise = Exercise(
            self._of(self.root), _shown_seed(seed), [], [], [], rest, numbers,
        )  # fmt: skip
        operations = self._operations({visit.node for visit in visits})
        self._steps(visits, operations, gradients)
        modules = owners.of_nodes(operations)
        for visit, step in zip(visits, self.exercise.steps):
            step.module = modules.get(visit.node, ())
        self.exercise.modules = owners.kinds
        self.exercise.forward = list(operations.values())
        for name, tensor in targets:
            self._answer(name, tensor, gradients)

    # Names

    def _said(self, node: Node) -> str:
        label = node.extras.label if node.extras is not None else None
        named = self.names.of_node(node)
        return (named.name if named is not None else label) or ""

    def _free(self, name: str) -> str:
        while name in self.taken:
            name += "′"
        self.taken.add(name)
        return name

    def _made(self, letter: str) -> str:
        while True:
            self.numbered[letter] += 1
            name = letter + str(self.numbered[letter]).translate(_SUBSCRIPT)
            if name not in self.taken:
                self.taken.add(name)
                return name

    def _quantity(self, node: Node, name: str) -> Quantity:
        kind = "result"
        if type(node) is Leaf:
            tensor = node.tensor()
            named = self.names.of_node(node)
            kind = "input" if tensor is None else kind_of(tensor)
            kind = named.kind if named is not None else kind
        found = Quantity(self._free(name), node.shape, kind, self.values.of(node).array)
        self.quantities[node] = found
        return found

    def _of(self, node: Node) -> Quantity:
        """Return the value that a node computed."""
        found = self.quantities.get(node)
        if found is not None:
            return found
        letter = "x" if type(node) is Leaf else "v"
        found = self._quantity(node, "")
        self.taken.discard("")
        found.name = self._made(letter)
        return found

    def _constant(self, array: np.ndarray) -> Quantity:
        named = self.names.of_array(array)
        key = id(array) if named is None else named.tensor
        found = self.quantities.get(key)
        if found is None:
            if named is not None:
                detached = named.tensor.requires_grad
                name = self._free(f"{named.name}.detach()" if detached else named.name)
            elif array.ndim == 0:
                name = brief(array.item())
            else:
                name = self._made("c")
            found = Quantity(name, array.shape, "constant", array)
            self.quantities[key] = found
        return found

    @staticmethod
    def _is_several(node: Node) -> bool:
        return node.primitive is not None and bool(node.primitive.outputs)

    # Operations

    def _operations(self, told: Container[Node]) -> dict[Node, Operation]:
        """Return the operations that are told, oldest first; one with several outputs is one."""
        found: dict[Node, Operation] = {}
        count = 0
        for node in self.nodes:
            if type(node) is Leaf or isinstance(node, TupleOutput):
                continue
            count += 1
            if node in told:
                found[node] = self._operation(node, count)
        return found

    def _operation(self, node: Node, number: int) -> Operation:
        declared = node.primitive
        operands: dict[str, Quantity] = {}
        for label, edge in edges_of(node).items():
            if edge is not None:
                operands[label] = self._of(edge)
        notes = []
        if declared is not None:
            for label, array in self._constants(node):
                operands[label] = self._constant(array)
                named = self.names.of_array(array)
                if named is not None and named.tensor.requires_grad:
                    notes.append(
                        f"{named.name} stands here as a constant (it was detached, or read under "
                        "no_grad()), so no gradient goes back through it"
                    )
        if has_hooks(node):
            notes.append(
                "a hook of yours stands here; it is not called by an explanation, and may change "
                "what backward() hands on"
            )
        result = self._result(node)
        formula = declared.formula if declared is not None else ""
        operation = Operation(number, title_of(node), formula, result, operands, {}, notes)
        if declared is not None:
            operation.settings = self._settings(node)
            count = math.prod(node.inputs[0].shape) if node.inputs[0] is not None else 0
            if declared.name in ("mean", "mse_loss") and count:
                operation.settings["n"] = str(count // max(math.prod(node.shape), 1))
        return operation

    def _result(self, node: Node) -> Quantity:
        if self._is_several(node) or not hasattr(node, "shape"):
            outputs = [n for n in self.nodes if isinstance(n, TupleOutput) and n.inputs[0] is node]
            if len(outputs) == 1:
                return self._of(outputs[0])
            return Quantity(", ".join([self._of(n).name for n in outputs]), ())
        return self._of(node)

    def _constants(self, node: Node) -> Iterable[tuple[str, np.ndarray]]:
        """Yield the operands without a gradient that the operation keeps."""
        declared, saved, edges = node.primitive, known_of(node), edges_of(node)
        if declared.variadic:
            held = saved.get(declared.inputs[0]) or ()
            pairs: Any = [(str(i), x) for i, x in enumerate(held) if node.inputs[i] is None]
        else:
            pairs = [(name, saved.get(name)) for name in declared.inputs if not edges.get(name)]
        arrays = [(x, np.asarray(y) if isinstance(y, (int, float)) else y) for x, y in pairs]
        return [(label, array) for label, array in arrays if isinstance(array, np.ndarray)]

    @staticmethod
    def _settings(node: Node) -> dict[str, str]:
        declared, saved = node.primitive, known_of(node)
        texts = {}
        for name in declared.parameters:
            value = saved.get(name)
            indexing = name in ("index", "indices", "axis", "axes")
            if isinstance(value, (int, float, complex)) or (value is not None and indexing):
                if text := parameter_text(value):
                    texts[name] = text
        return texts

    # Steps

    def _steps(
        self, visits: list[Visit], operations: Mapping[Node, Operation], found: Mapping
    ) -> None:
        uses: Counter[Node] = Counter()
        for visit in visits:
            for edge, handed in zip(visit.node.inputs, visit.handed):
                if edge is not None and handed is not None:
                    uses[edge] += 1
        totals: dict[Node, np.ndarray] = {}
        counts: Counter[Node] = Counter()
        for number, visit in enumerate(visits, 1):
            arrived = [g for g in visit.incoming if g is not None]
            operation = operations[visit.node]
            incoming = arrived[0] if len(arrived) == 1 else _joined(arrived)
            step = Step(number, operation, incoming)
            step.notes = list(operation.notes)
            for place, edge in enumerate(visit.node.inputs):
                handed = visit.handed[place]
                if edge is None or handed is None:
                    continue
                counts[edge] += 1
                totals[edge] = np.asarray(totals[edge] + handed) if edge in totals else handed
                part = self._part(visit, place, edge, handed)
                part.use, part.uses = counts[edge], uses[edge]
                part.total = totals[edge]
                if part.use == part.uses and edge in found:
                    part.total = found[edge]
                part.zero = why_zero(part, step)
                step.parts.append(part)
            self.exercise.steps.append(step)

    def _part(self, visit: Visit, place: int, edge: Node, handed: np.ndarray) -> Part:
        letter = list(edges_of(visit.node))[place]
        local = local_derivative(visit, place)
        product = handed if local.product is None else local.product
        if product.shape != handed.shape:
            undone = undone_words(handed.shape, product.shape)
        else:
            product, undone = handed, ""
        slope, rule = self._formulas(visit, place, letter, local)
        words = "" if slope is not None or rule is not None else backward_words(visit.node, letter)
        return Part(
            letter, self._of(edge), local.kind, local.array, slope, rule, words, product, handed,
            undone, local.met,
        )  # fmt: skip

    @staticmethod
    def _formulas(visit: Visit, place: int, letter: str, local: Local) -> tuple:
        """Return the formula of the slope, or of the whole product."""
        node = visit.node
        declared = node.primitive
        incoming = visit.incoming[0]
        if declared is None or incoming is None:
            return None, None
        linear = local.kind in ("elementwise", "spread")
        values = rule_values(node, letter, np.ones_like(incoming) if linear else incoming)
        if values is None:
            return None, None
        first = next(iter(values))
        names = {*declared.inputs, "y"}
        symbols = {name: e.symbol(name) for name in values if name in names}
        symbols = {k: x for k, x in symbols.items() if isinstance(values[k], np.ndarray)}
        symbols[first] = e.ONE if linear else e.symbol("g")
        found = SLOPES.get((declared.name, letter)) if linear else None
        if found is None:
            found = read_rule(declared.rules[letter], values, symbols)
        if found is None or _size(found) > 24 or not _is_known(found, linear):
            return None, None
        if any([getattr(x, "dtype", np.dtype(bool)).kind == "c" for x in values.values()]):
            # Rules are written as for real numbers: the engine conjugates what goes in and out.
            found = e.conjugated(e.with_conjugate(found, "g"))
        return (found, None) if linear else (None, found)

    # Answers

    def _answer(self, name: str, tensor: Tensor, gradients: Mapping) -> None:
        node = tensor.node
        if node is not None and node in gradients:
            self.exercise.answers.append(Answer(self._of(node), gradients[node]))
            return
        quantity = Quantity(name, tensor.array.shape, "input", tensor.array)
        everything = self._operations(set(self.nodes)) if tensor.requires_grad else {}
        reason = nothing_reaches(tensor, everything.values())
        self.exercise.answers.append(Answer(quantity, None, reason))


def known_of(node: Any) -> dict[str, Any]:
    """Return what a node keeps for its rules, and what it noted beside that, by name."""
    kept = {name: x for name, x in saved_of(node).items() if x is not None}
    return {**node.given(), **kept}


def _shown_seed(seed: np.ndarray) -> np.ndarray:
    """Return the cotangent as the user gave it: the walk carries its conjugate."""
    return np.asarray(np.conjugate(seed)) if seed.dtype.kind == "c" else seed


def _joined(arrays: list[np.ndarray]) -> np.ndarray:
    """Return what arrived for several outputs, end to end."""
    return np.concatenate([x.ravel() for x in arrays])


def _size(x: e.Expression) -> int:
    return 1 + sum(_size(part) for part in x.args if isinstance(part, e.Expression))


def _is_known(x: e.Expression, functions: bool) -> bool:
    """Tell whether a reader knows all that stands in an expression: operators, and functions.

    ``functions``: whether those of numbers may stand in it.
    """
    if x.op.startswith("call "):
        declared = None if x.op[5:] in e.FUNCTIONS else REGISTRY.get(x.op[5:])
        elementwise = declared is None or str(declared.jacobian).startswith("diagonal")
        if not functions or not elementwise:
            return False
    if x.op.startswith("phrase ") and not functions:
        return False
    return all([_is_known(part, functions) for part in x.args if isinstance(part, e.Expression)])
