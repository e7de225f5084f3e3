"""A graph as a list of bound functions over numbered values, and how it runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from aino.autograd.mode import is_grad_enabled
from aino.autograd.tensor import Tensor
from aino.errors import OnnxError
from aino.onnx.importing.elements import foreign_name, is_foreign
from aino.onnx.importing.table import Row
from aino.onnx.package import onnx_package
from aino.tracing import untraced


@dataclass
class Running:
    """What belongs to a run of a graph.

    Arguments:
        training: whether the module is in training mode.
        update: writes a new value into a buffer that an input came from.
    """

    training: bool
    update: Callable[[Any, Tensor], None] | None = None


@dataclass
class Step:
    """One node: a row of the table, bound to its attributes and to the values that it takes.

    Arguments:
        row: what computes it.
        name: what it is called in an error.
        inputs: the numbers of its inputs, None where one is left out.
        outputs: the numbers of its outputs, None where one is not asked for.
        ways: how each input is given, as `aino.onnx.importing.table` has them.
        attributes: its attributes; those that are graphs are `Block`.
        alike: for each output, the places of the inputs that have elements of its type.
        known: its inputs are known before the data is, so that it runs as plain Python.
        held: the buffers that its inputs are, by their place among them.
    """

    row: Row
    name: str
    inputs: tuple[int | None, ...]
    outputs: tuple[int | None, ...]
    ways: tuple[str, ...]
    attributes: dict[str, Any]
    alike: tuple[tuple[int, ...], ...] = ()
    known: bool = False
    held: dict[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._readers = tuple(READERS[way] for way in self.ways)
        self._blocks = any(type(value) is Block for value in self.attributes.values())

    def run(self, values: list[Any], running: Running) -> None:
        """Compute the outputs, and put them where they belong."""
        given = [None if number is None else values[number] for number in self.inputs]
        compute = _compute_known if self.known else _compute
        try:
            results = compute(self, given, values, running)
        except OnnxError as error:
            if error.args and str(error.args[0]).startswith(self.name):
                raise
            raise OnnxError(f"{self.name}: {error}") from error
        if len(results) < len(self.outputs):
            raise OnnxError(
                f"{self.name} has {len(results)} outputs; {len(self.outputs)} are asked for"
            )
        for number, result in zip(self.outputs, results):
            if number is not None:
                values[number] = result


@dataclass
class Block:
    """A graph that is ready to run.

    Arguments:
        size: how many values it has.
        inputs: the numbers of its inputs.
        outputs: the numbers of its outputs.
        constants: the values that are known when it is loaded, by their numbers.
        captured: the numbers of values of the graph around it, with their numbers in it.
        steps: its nodes, in order.
    """

    size: int
    inputs: list[int]
    outputs: list[int]
    constants: dict[int, Any]
    captured: dict[int, int]
    steps: list[Step]

    def run(self, given: Sequence[Any], outside: dict[int, Any], running: Running) -> list[Any]:
        """Return the outputs for some inputs.

        Arguments:
            given: the inputs.
            outside: values that come with them, by their numbers: parameters, and what is captured.
            running: what belongs to the run.
        """
        values: list[Any] = [None] * self.size
        for number, value in self.constants.items():
            values[number] = value
        for number, value in outside.items():
            values[number] = value
        for number, value in zip(self.inputs, given):
            values[number] = value
        for step in self.steps:
            step.run(values, running)
        return [_handed_out(values[number]) for number in self.outputs]


def _handed_out(value: Any) -> Any:
    """Return a value for others: what the graph itself knows stays its own."""
    return as_given(value.copy() if isinstance(value, np.ndarray) else value)


def as_given(value: Any) -> Any:
    """Return a value as users and other graphs get it: an array that can be is a tensor."""
    if isinstance(value, np.ndarray) and not is_foreign(value):
        return Tensor(value)
    if type(value) is list:
        return [as_given(part) for part in value]
    return value


def _compute(step: Step, given: list[Any], values: list[Any], running: Running) -> tuple[Any, ...]:
    foreign = [place for place, value in enumerate(given) if _foreign(value)]
    if foreign and step.row.moves:
        return _moved(step, given)
    if foreign:
        computed = [place for place in foreign if step.ways[place] != "Value"]
        if computed:
            given = _widened(step, given, computed)
            return _narrowed(step, _call(step, given, values, running), computed)
    return _call(step, given, values, running)


def _foreign(value: Any) -> bool:
    return type(value) is np.ndarray and is_foreign(value)


def _call(step: Step, given: list[Any], values: list[Any], running: Running) -> tuple[Any, ...]:
    row = step.row
    arguments = [read(value) for read, value in zip(step._readers, given)]
    keywords = step.attributes
    if step._blocks:
        keywords = {
            key: _bound(value, values, running) if type(value) is Block else value
            for key, value in keywords.items()
        }
    if row.given:
        own = running
        if step.held and running.update is not None:
            own = Running(running.training, _updater(step, running))
        elif running.update is not None:
            own = Running(running.training)
        extra = {"outputs": len(step.outputs), "running": own}
        keywords = keywords | {key: extra[key] for key in row.given}
    result = row.function(*arguments, **keywords)
    results = result if type(result) is tuple else (result,)
    return results if row.knows or step.known else tuple(map(as_given, results))


@untraced
def _compute_known(
    step: Step, given: list[Any], values: list[Any], running: Running
) -> tuple[Any, ...]:
    """Compute what needs no data: a trace does not see it, and its results are plain arrays."""
    return tuple(map(as_known, _compute(step, given, values, running)))


def as_known(value: Any) -> Any:
    """Return a value as an array, which a trace takes for what it is."""
    if isinstance(value, Tensor):
        return value.detach().array
    return [as_known(part) for part in value] if type(value) is list else value


def _updater(step: Step, running: Running) -> Callable[[int, Tensor], None]:
    write: Any = running.update

    def update(place: int, value: Tensor) -> None:
        if place in step.held:
            write(step.held[place], value)

    return update


def _bound(block: Block, values: list[Any], running: Running) -> Callable[..., list[Any]]:
    """Return a graph inside a node as a function of its inputs."""

    def call(*given: Any) -> list[Any]:
        outside = {inner: values[outer] for outer, inner in block.captured.items()}
        return block.run(given, outside, running)

    return call


def _widened(step: Step, given: list[Any], places: list[int]) -> list[Any]:
    """Return what a row is given for bfloat16: float32, in which that is computed with."""
    given = list(given)
    for place in places:
        if str(given[place].dtype) != "bfloat16":
            raise OnnxError(f"{step.name} is not computed with {foreign_name(given[place])}")
        given[place] = given[place].astype(np.float32)
    return given


def _narrowed(step: Step, results: tuple[Any, ...], places: list[int]) -> tuple[Any, ...]:
    """Return what was computed in float32 as the bfloat16 that it is for ONNX."""
    onnx = onnx_package()
    dtype = onnx.helper.tensor_dtype_to_np_dtype(onnx.TensorProto.BFLOAT16)
    narrow = []
    for result, alike in zip(results, step.alike):
        if not set(alike).isdisjoint(places) and getattr(result, "dtype", None) == np.float32:
            result = without_history(result).astype(dtype)
        narrow.append(result)
    return tuple(narrow)


def _moved(step: Step, given: list[Any]) -> tuple[Any, ...]:
    """Run a row that only moves elements over their places, and take them from there."""
    pools, arguments, start = [], [], 0
    for way, value in zip(step.ways, given):
        if way == "Tensor" and _foreign(value):
            pools.append(value.reshape(-1))
            places = np.arange(start, start + value.size, dtype=np.int64)
            arguments.append(Tensor(places.reshape(value.shape)))
            start += value.size
        else:
            arguments.append(READERS[way](value))
    if len({pool.dtype for pool in pools}) > 1:
        raise OnnxError(f"{step.name} has inputs of different types")
    extra = {"outputs": len(step.outputs)} if "outputs" in step.row.given else {}
    result = step.row.function(*arguments, **step.attributes, **extra)
    pool = np.concatenate(pools)
    results = result if type(result) is tuple else (result,)
    return tuple(
        pool[np.asarray(places.array)] if isinstance(places, Tensor) else places
        for places in results
    )


# How inputs are given to rows


def as_tensor(value: Any) -> Any:
    """Give a tensor."""
    return Tensor(value) if isinstance(value, np.ndarray) else value


def as_ints(value: Any) -> Any:
    """Give Python's whole numbers."""
    if value is None or isinstance(value, list):
        return value
    found = value.tolist()
    return found if isinstance(found, list) else [found]


def as_one(value: Any) -> Any:
    """Give one number of Python's."""
    if value is None or isinstance(value, (int, float)):
        return value
    if value.size != 1 if isinstance(value, np.ndarray) else value.numel() != 1:
        raise OnnxError(f"expected one number, not an array of shape {tuple(value.shape)}")
    return value.item()


def as_plain(value: Any) -> Any:
    """Give a NumPy array without a history."""
    return value.detach().numpy() if isinstance(value, Tensor) else value


def as_it_is(value: Any) -> Any:
    """Give what there is."""
    return value


READERS: dict[str, Callable[[Any], Any]] = {
    "Tensor": as_tensor, "Ints": as_ints, "Int": as_one, "Floats": as_ints, "Float": as_one,
    "Plain": as_plain, "Value": as_it_is,
}  # fmt: skip


def without_history(value: Any) -> np.ndarray:
    """Return an array for a conversion that carries no gradient, where none is wanted."""
    if isinstance(value, Tensor):
        if value.requires_grad and is_grad_enabled():
            raise OnnxError(
                "a conversion to elements that no tensor has carries no gradient; detach() the "
                "input, or run the model under aino.no_grad()"
            )
        return value.detach().numpy()
    return value
