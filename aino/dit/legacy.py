"""Files of AINO 1 and 2: networks in bare `numpy.savez` archives, read into `NeuralNetwork`.

Version 1 holds one activation for all layers, and weights as (out, in) in float64; version 2
adds the activation of the last layer, and holds weights as (in, out) and biases as (1, out) in
float32.
"""

import itertools
import warnings
import zlib
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from aino.autograd.tensor import make
from aino.dit.archive import Member
from aino.dit.building import rebuilding
from aino.dit.npy import DTYPES, LONGEST_HEADER, read_header
from aino.dit.registry import registered
from aino.dit.source import Source


class OldNetwork(NamedTuple):
    """A network out of an old file; ``state`` has the keys and shapes of `NeuralNetwork`."""

    version: int
    sizes: list[int]
    activation: str
    output_activation: str
    state: dict[str, np.ndarray]


def is_old(members: list[Member]) -> bool:
    """Whether these are the members of a file of version 1 or 2."""
    names = {member.name for member in members}
    return {"config.npy", "activation.npy", "layer_0_w.npy"} <= names


def read(source: Source, members: list[Member]) -> OldNetwork:
    """Read and check an old file; `DitError` lists all that is missing, unexpected, misshapen."""
    if not is_old(members):
        raise source.error(
            "looks like a NumPy archive (.npz) of something else: it has no manifest "
            "(dit.json); numpy.load reads it"
        )
    found = {member.name.removesuffix(".npy"): member for member in members}
    version = 2 if "output_activation" in found or "is_multi_head" in found else 1
    if "is_multi_head" in found and bool(
        _read_array(source, found["is_multi_head"], "b", ()).any()
    ):
        raise source.error(
            "is a network with several heads (version 2, is_multi_head), which is not supported"
        )
    config = _read_array(source, found["config"], "iu", (-1,))
    sizes = [int(size) for size in config]
    if len(sizes) < 2 or min(sizes) < 1:
        raise source.error(f"{sizes[:10]} are not the sizes of a network's layers", "config.npy")
    old = version == 2
    named = {"config", "activation"} | ({"output_activation", "is_multi_head"} if old else set())
    layers = {f"layer_{index}_{part}" for index in range(len(sizes) - 1) for part in "wb"}
    problems = [f"missing {name}" for name in sorted((named | layers) - {*found})]
    problems += [f"unexpected {name}" for name in sorted({*found} - named - layers)]
    if problems:
        raise source.error("does not hold the network it describes: " + "; ".join(problems[:20]))
    activation = _read_text(source, found["activation"])
    output = _read_text(source, found["output_activation"]) if old else activation
    state = {}
    for index, (inputs, outputs) in enumerate(itertools.pairwise(sizes)):
        shape = (inputs, outputs) if old else (outputs, inputs)
        weight = _read_array(source, found[f"layer_{index}_w"], "f", shape)
        bias = _read_array(
            source, found[f"layer_{index}_b"], "f", (1, outputs) if old else (outputs,)
        )
        state[f"layers.{index}.weight"] = np.ascontiguousarray(weight.T if old else weight)
        state[f"layers.{index}.bias"] = bias.reshape(outputs)
    return OldNetwork(version, sizes, activation, output, state)


def load(
    source: Source,
    members: list[Member],
    put: Callable[[np.ndarray], np.ndarray] | None = None,
) -> Any:
    """The `NeuralNetwork` that an old file holds, in the dtype of its weights.

    Warns where it will predict otherwise than the code that wrote it.
    """
    old = read(source, members)
    network: Any = registered("NeuralNetwork")
    output = old.output_activation
    if old.version == 2 and output == "softmax":
        warnings.warn(
            f"{source.path}: AINO 2 computed an output activation of 'softmax' as ReLU; the "
            "network is loaded with softmax, and predicts otherwise than it did there",
            UserWarning,
            stacklevel=3,
        )
    try:
        with rebuilding(len(old.state)):
            model = network(old.sizes, activation_type=old.activation, output_activation=output)
        arrays = old.state if put is None else {k: put(array) for k, array in old.state.items()}
        state = {key: make(array) for key, array in arrays.items()}
        model.load_state_dict(state, strict=True, assign=True)
    except (ValueError, TypeError, RuntimeError) as error:
        raise source.error(f"no network can be made of it: {error}") from error
    return model


def _read_array(source: Source, member: Member, kinds: str, shape: tuple[int, ...]) -> np.ndarray:
    """A member as a native array in C order, once its header was found to be as expected."""
    name = member.name
    start = source.read(member.content, min(member.size, LONGEST_HEADER), name)
    header = read_header(start)
    if isinstance(header, str):
        raise source.error(header, name)
    if header.dtype.kind not in kinds:
        raise source.error(f"holds {header.dtype}, which is not expected there", name)
    if len(header.shape) != len(shape) or any(
        found != size != -1 for found, size in zip(header.shape, shape)
    ):
        raise source.error(f"has the shape {header.shape} instead of {shape}", name)
    if member.size != header.length + header.nbytes:
        raise source.error(
            f"is {member.size} bytes long; {header.dtype} of shape {header.shape} takes "
            f"{header.length} + {header.nbytes}",
            name,
        )
    raw = source.read(member.content, member.size, name)
    if zlib.crc32(raw) != member.crc:
        raise source.error("is damaged: its CRC-32 is not the stored one", name)
    flat = np.frombuffer(raw, header.dtype, offset=header.length)
    array = flat.reshape(header.shape, order="F" if header.fortran else "C")
    return np.array(array, DTYPES.get(header.dtype.name, header.dtype.newbyteorder("=")), order="C")


def _read_text(source: Source, member: Member) -> str:
    text = str(_read_array(source, member, "U", ()))
    if not text.isidentifier():
        raise source.error(f"{text!r} is not the name of an activation", member.name)
    return text
