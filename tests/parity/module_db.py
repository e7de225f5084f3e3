"""PyTorch's own samples of its modules, put to AINO: names, values, gradients, buffers, errors.

PyTorch tests itself by a table of its modules, ``module_db``, in which each has a generator of
constructions and inputs. What a module gives in PyTorch, from the same weights, is the oracle here.
"""

from __future__ import annotations

import functools
import inspect
import types
import warnings
from collections.abc import Iterator
from typing import Any

import torch

import aino
from tests.parity import op_db

#: Constructions of one module that are differentiated twice.
TWICE = 6


@functools.cache
def entries() -> dict[str, Any]:
    """Return PyTorch's table by the module's name in ``nn``."""
    from torch.testing._internal.common_modules import module_db

    return {info.name.removeprefix("nn."): info for info in module_db}


def samples_of(info, dtype: str, training: bool) -> Iterator[Any]:
    """Return the constructions of an entry, with their inputs, for a dtype."""
    torch.manual_seed(0)
    kind = getattr(torch, dtype)
    return info.module_inputs_func(
        info, device="cpu", dtype=kind, requires_grad=True, training=training
    )


def errors_of(info) -> Iterator[Any]:
    """Return the constructions of an entry that PyTorch refuses, or whose call it refuses."""
    if info.module_error_inputs_func is None:
        return
    for training in (True, False):
        yield from info.module_error_inputs_func(
            info, device="cpu", dtype=torch.float64, requires_grad=False, training=training
        )


def given(value: Any, leaves: list) -> Any:
    """Return what AINO is given for an argument, functions and modules of PyTorch's included."""
    if isinstance(value, (list, tuple)) and not isinstance(value, torch.Size):
        return type(value)(given(item, leaves) for item in value)
    if isinstance(value, dict):
        return {key: given(item, leaves) for key, item in value.items()}
    if isinstance(value, types.BuiltinFunctionType | types.FunctionType):
        for library, ours in ((torch, aino), (torch.nn.functional, aino.nn.functional)):
            if getattr(library, value.__name__, None) is value:
                return getattr(ours, value.__name__)
        return op_db.in_aino(value)
    if isinstance(value, torch.nn.TransformerEncoderLayer):
        return _encoder_layer(value, leaves)
    if isinstance(value, torch.nn.Module):
        return getattr(aino.nn, type(value).__name__)()
    if inspect.isclass(value) and issubclass(value, torch.nn.Module):
        return getattr(aino.nn, value.__name__)
    return op_db.given(value, leaves)


def _encoder_layer(layer, leaves: list):
    attention = layer.self_attn
    return aino.nn.TransformerEncoderLayer(
        attention.embed_dim, attention.num_heads, layer.linear1.out_features, layer.dropout.p,
        given(layer.activation, leaves), layer.norm1.eps, attention.batch_first, layer.norm_first,
        attention.in_proj_bias is not None,
    )  # fmt: skip


def compare_entry(name: str, dtype: str, training: bool) -> str | None:
    """Return what differs first between AINO and PyTorch over an entry's constructions."""
    info = entries()[name]
    for place, sample in enumerate(samples_of(info, dtype, training)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = compare_sample(name, info, sample, dtype, training, place < TWICE)
        if found:
            made = sample.constructor_input
            text = f"{made.args!s:.200} {made.kwargs!s:.200} {sample.desc}"
            return f"sample {place}, {' '.join(text.split())}: {found}"
    return None


def compare_sample(name, info, sample, dtype: str, training: bool, twice: bool) -> str | None:
    """Return what differs for one construction, None if nothing does, or if PyTorch refuses it."""
    made, call = sample.constructor_input, sample.forward_input
    try:
        theirs = info.module_cls(*made.args, **made.kwargs).to(getattr(torch, dtype))
        theirs.train(training)
    except Exception:
        return None
    try:
        ours = getattr(aino.nn, name)(*given(made.args, []), **given(made.kwargs, []))
        ours.to(getattr(aino, dtype)).train(training)
    except Exception as error:
        return f"its construction raises {type(error).__name__}: {error}"
    if call is None:
        return None
    leaves: list = []
    args, keywords = given(call.args, leaves), given(call.kwargs, leaves)
    if info.is_lazy:  # its weights are made at the first call
        theirs(*call.args, **call.kwargs), ours(*args, **keywords)
    if (found := _compare_state(ours, theirs)) is not None:
        return found
    ours.load_state_dict({key: value.numpy().copy() for key, value in theirs.state_dict().items()})
    try:
        expected = theirs(*call.args, **call.kwargs)
    except Exception:
        return None
    try:
        result = ours(*args, **keywords)
    except Exception as error:
        return f"raises {type(error).__name__}: {error}"
    result, expected = _opened(result), _opened(expected)
    if (found := op_db.difference(result, expected)) is not None:
        return found
    for key, value in theirs.state_dict().items():
        found = op_db.difference(ours.state_dict()[key], value, f"after the call, {key}")
        if found:
            return found
    leaves += [
        (mine, other)
        for mine, other in zip(ours.parameters(), theirs.parameters())
        if other.requires_grad
    ]
    return op_db.compare_gradients(info, result, expected, leaves, twice)


def _compare_state(ours, theirs) -> str | None:
    """Return how two modules differ to look at: their text, the names and shapes of their state."""
    if repr(ours) != repr(theirs).replace("torch.", "aino."):
        return f"shows itself as {ours!r}, PyTorch's as {theirs!r}"
    shapes = {key: tuple(value.shape) for key, value in ours.state_dict().items()}
    wanted = {key: tuple(value.shape) for key, value in theirs.state_dict().items()}
    if list(shapes.items()) != list(wanted.items()):
        return f"its state is {shapes}, PyTorch's {wanted}"
    return None


def _opened(result):
    """Return a packed sequence as its parts, all else as it is."""
    if hasattr(result, "batch_sizes"):
        return result.data, result.batch_sizes
    if isinstance(result, tuple):
        return tuple(_opened(item) for item in result)
    return result


def refused(name: str, sample) -> str | None:
    """Return what is wrong with how a bad construction or call is refused, None if nothing is."""
    from torch.testing._internal.common_modules import ModuleErrorEnum

    info = entries()[name]
    made, call = (
        sample.module_error_input.constructor_input,
        sample.module_error_input.forward_input,
    )
    build = getattr(aino.nn, name)
    try:
        if sample.error_on is ModuleErrorEnum.CONSTRUCTION_ERROR:
            build(*given(made.args, []), **given(made.kwargs, []))
        else:
            # What PyTorch itself lets pass is no error, whatever its table says.
            module = info.module_cls(*made.args, **made.kwargs).to(torch.float64)
            try:
                module(*call.args, **call.kwargs)
                return None
            except Exception:
                pass
            ours = build(*given(made.args, []), **given(made.kwargs, [])).to(aino.float64)
            ours(*given(call.args, []), **given(call.kwargs, []))
    except sample.error_type as error:
        return None if str(error) else "the error has no message"
    except Exception as error:
        return f"{type(error).__name__}, PyTorch's is {sample.error_type.__name__}: {error}"
    return f"is let pass, where PyTorch says {sample.error_regex!r}"
