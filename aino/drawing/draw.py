"""``aino.draw``: what was computed, or what a network is made of, as a picture."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from types import FrameType
from typing import Any

import numpy as np

from aino.autograd.labels import labelled
from aino.autograd.tensor import Tensor
from aino.drawing import names as naming
from aino.drawing.backward import backward_graph
from aino.drawing.build import Builder
from aino.drawing.dot import write
from aino.drawing.fold import fold
from aino.drawing.graph import Graph
from aino.drawing.layers import architecture
from aino.drawing.neurons import activations, as_neurons
from aino.drawing.picture import SUFFIXES, Drawing
from aino.drawing.run import Run
from aino.drawing.scene import Scene, to_dot, to_svg
from aino.drawing.textbook import Look, draw_network, take_names
from aino.drawing.volumes import draw_volumes, stages_of
from aino.errors import GradientError
from aino.nn.base.module import Module
from aino.user_warnings import warn


def draw(
    obj: Any,
    *args: Any,
    inputs: Any = None,
    depth: int | None = None,
    names: Any = None,
    rankdir: str | None = None,
    numbers: int = 9,
    gradients: bool = False,
    derivatives: bool | None = None,
    values: bool = False,
    show: str = "forward",
    sample: Any = None,
    features: Any = None,
    classes: Any = None,
    heat: bool | None = None,
    maps: bool = False,
    repeat: int | None = 4,
    limit: int = 300,
) -> Drawing:
    """Draw a computation or a network: ``aino.draw(loss, "graph.html")``.

    A path at the end is where the drawing is written, as its suffix says: ``.html`` is a page to
    look around in, which needs a browser alone, ``.svg``, ``.png`` and ``.pdf`` are pictures,
    ``.dot`` and ``.gv`` their source. So does ``.render(path)`` of what is returned.

    Solid arrows are those along which gradients come back, dashed ones carry constants. A tensor
    is called as ``names`` says, else by its own ``label``, else as its module calls it, else by
    the caller's variable. What an operation computed is called ``v₁``, ``v₂``, ... where it has no
    name. Values that nobody kept, as after ``backward()``, are computed again.

    A module that raises half-way is drawn up to there, and a warning says so; the first numbers
    that are none are marked.

    Arguments:
        obj: what to draw. A tensor, or tuples, lists and dicts of them: the operations that were
            recorded on the way to it, each with its formula and what it computed. A module with
            ``inputs``: what it records when it is run on them, with a box around what each
            module inside did. A module alone: what it is made of, neuron by neuron if it is
            small, else layer by layer.
        args: what the module is run on; last of all, the path.
        depth: folds the boxes that have so many others around them: 0 the whole module, 1 those
            inside it. None shows as much as there is room for: large networks fold repeated
            blocks, then boxes, by themselves.
        names: a dict of tensors by their names, ``{"w": w}`` or
            ``dict(model.named_parameters())``, or a module.
        rankdir: the direction: ``"TB"`` downwards, ``"LR"`` to the right.
        numbers: arrays of up to so many elements show them, and their gradients; of others, the
            gradient's norm is shown.
        inputs: what the module is run on, by keyword: an input, a tuple of them, or a dict of
            them by the names of ``forward``.
        gradients: True computes the gradient of every value, for the drawing only, also after a
            backward pass has freed the graph; the output has to be a scalar. Arrows are coloured
            by how large it is.
        derivatives: the local derivative on every arrow, ``∂ = cos x``, or what the gradient
            ``g`` becomes on its way back, ``g ↦ gᵀ x``; None shows it in small drawings.
        values: the local derivatives in numbers, too.
        show: the ``"forward"`` graph, the ``"backward"`` one, in which each gradient is
            computed, or ``"both"``, side by side.
        sample: one input of a network that is drawn by itself: neurons show what they compute of
            it. Convolutional networks, given a batch of one, are drawn as blocks with its shapes.
        features: names of the inputs, and ``classes`` of the outputs; those of a network that was
            fitted are known.
        heat: the matrices as heat maps below a network; None where lines have no numbers.
        maps: feature maps on the blocks of a convolutional network.
        repeat: of what repeats more often than this in a row, one is drawn; None draws all.
        limit: of more operations than this, the oldest are left out.

    Raises ``TypeError`` for what can't be drawn, ``GradientError`` where nothing was recorded.

    >>> import aino
    >>> x = aino.tensor([1.0, 2.0], requires_grad=True)
    >>> drawing = aino.draw((x * x).sum(), names={"position": x})
    >>> "v₁ = position · position" in drawing.source
    True
    """
    _check(depth, rankdir, numbers, repeat, limit, show)
    backward = show != "forward"
    gradients = gradients or backward
    args, path = _without_path(obj, args)
    args, kwargs = _given(args, inputs)
    if not isinstance(obj, Module):
        _check_tensors(obj, args or kwargs, depth)
    known = naming.Names()
    known.add_all(naming.given(names))
    known.add_all(labelled())
    if isinstance(obj, Module) and not args and not kwargs:
        if gradients:
            raise GradientError(
                "a module that is not run has no values: aino.draw(module, x, gradients=True)"
            )
        scene = None
        if depth is None:
            look = Look(rankdir or "LR", numbers > 0, _listed(features, "features"),
                        _listed(classes, "classes"), heat=heat)  # fmt: skip
            scene = _picture(obj, look, sample, maps)
        if scene is not None:
            title = _title(obj, known)
            drawing = Drawing(
                to_dot(scene), whole=architecture(obj), title=title, svg=to_svg(scene, title)
            )
            return _written(drawing, path)
        graph = architecture(obj)
    else:
        caller = sys._getframe(1)
        derivatives = True if values or (backward and derivatives is None) else derivatives
        graph = _computation(obj, args, kwargs, known, gradients, derivatives, caller)
    whole = graph.copy()
    graph = fold(graph, depth, repeat, limit)
    if backward:
        graph = backward_graph(graph, show == "both")
        whole = backward_graph(whole, show == "both")
    source = write(graph, rankdir or "TB", numbers, values)
    drawing = Drawing(
        source, graph, whole, title=_title(obj, known), rankdir=rankdir or "TB", depth=depth
    )
    return _written(drawing, path)


def _picture(module: Module, look: Look, sample: Any, maps: bool) -> Scene | None:
    """Return the picture of a network of layers, or of convolutions where there is a sample."""
    network = as_neurons(module)
    if network is not None:
        if sample is not None:
            look.values = activations(module, network, sample)
        take_names(look, module, network)
        return draw_network(network, look)
    stages = None if sample is None else stages_of(module, sample)
    return None if stages is None else draw_volumes(stages, maps)


def _listed(names: Any, what: str) -> list[str] | None:
    if names is None:
        return None
    if isinstance(names, str) or not hasattr(names, "__iter__"):
        raise TypeError(f"{what} is a list of names, not {names!r}")
    return [str(name) for name in names]


def _without_path(obj: Any, inputs: tuple) -> tuple[tuple, Any]:
    """Return the inputs, and the path that stood behind them, None where there was none.

    A module may be given text that is no path; it is one if it ends as a drawing's does.
    """
    last = inputs[-1] if inputs else None
    if isinstance(last, str) and isinstance(obj, Module):
        is_path = last.lower().endswith(SUFFIXES)
    else:
        is_path = isinstance(last, (str, os.PathLike))
    return (inputs[:-1], last) if is_path else (inputs, None)


def _written(drawing: Drawing, path: Any) -> Drawing:
    if path is not None:
        drawing.render(path)
    return drawing


def _title(obj: Any, known: naming.Names) -> str:
    """Return what a drawing is called: a module's class, or the names of the tensors drawn."""
    if isinstance(obj, Module):
        return type(obj).__name__
    named = [known.of_node(y.node) for _, y in _tensors(obj, "", strict=True) if y.node is not None]
    return ", ".join(x.name for x in named if x is not None) or "graph"


def _computation(
    obj: Any,
    args: tuple,
    kwargs: dict[str, Any],
    known: naming.Names,
    gradients: bool,
    derivatives: bool | None,
    caller: FrameType,
) -> Graph:
    """Return the graph of what was recorded, or of what a module records now."""
    run = None
    if isinstance(obj, Module):
        known.add_all(naming.of_module(obj))
        run = Run(obj, args, kwargs, known)
        outputs = list(_tensors(run.output, "", strict=False))
        if run.error is not None:
            warn(
                f"{type(obj).__name__} raised {type(run.error).__name__}: {run.error}; what it "
                "computed before that is drawn",
                UserWarning,
            )
        elif not outputs:
            raise TypeError(f"{type(obj).__name__} returned no tensor: there is nothing to draw")
    else:
        outputs = list(_tensors(obj, "", strict=True))
        if not outputs:
            raise TypeError(f"there is nothing to draw: the {type(obj).__name__} holds no tensor")
        if isinstance(obj, dict):
            known.add_all(outputs)
    known.add_all(labelled())  # those that the module has just set
    known.add_all(naming.of_variables(caller))
    failed = run is not None and run.error is not None
    if not failed and not any(y.requires_grad for _, y in outputs):
        raise GradientError(
            "nothing was recorded on the way to this tensor: ask for the gradient of what it is "
            "computed from, x.requires_grad_(), and compute it outside no_grad()"
        )
    return Builder(outputs, known, run, gradients and not failed, derivatives).graph


def _given(args: tuple, inputs: Any) -> tuple[tuple, dict[str, Any]]:
    """Return what a module is run on: by place, and by name."""
    if inputs is None:
        return args, {}
    if args:
        raise TypeError("the inputs are given after the module, or as inputs=, not both")
    if type(inputs) is dict:
        return (), inputs
    return (tuple(inputs) if type(inputs) in (tuple, list) else (inputs,)), {}


def _check(depth: Any, rankdir: Any, numbers: Any, repeat: Any, limit: Any, show: Any) -> None:
    if show not in ("forward", "backward", "both"):
        raise ValueError(f"show is 'forward', 'backward' or 'both', not {show!r}")
    for name, value, least in (
        ("depth", depth, 0), ("numbers", numbers, 0), ("repeat", repeat, 1), ("limit", limit, 1)
    ):  # fmt: skip
        if value is None and name in ("depth", "repeat"):
            continue
        if not isinstance(value, int) or isinstance(value, bool):
            raise TypeError(f"{name} is a whole number, not {value!r}")
        if value < least:
            raise ValueError(f"{name} should be at least {least}, got {value}")
    if rankdir not in (None, "TB", "BT", "LR", "RL"):
        raise ValueError(
            f"rankdir is 'TB' (downwards), 'LR' (to the right), 'BT' or 'RL', not {rankdir!r}"
        )


def _check_tensors(obj: Any, inputs: Any, depth: int | None) -> None:
    """Raise where there is no module to run, and what was given needs one."""
    if isinstance(obj, type) and issubclass(obj, Module):
        raise TypeError(f"{obj.__name__} is a class: make a module of it, {obj.__name__}(...)")
    if not isinstance(obj, (Tensor, tuple, list, dict)):
        made = ": aino.tensor(array, requires_grad=True)" if isinstance(obj, np.ndarray) else ""
        if isinstance(obj, (str, os.PathLike)):
            made = "; what is drawn comes first, aino.draw(loss, path)"
        raise TypeError(
            f"aino.draw takes a tensor, tuples, lists and dicts of tensors, or a module, not "
            f"{type(obj).__name__}{made}"
        )
    if inputs:
        raise TypeError(
            "inputs are for a module to run on; a tensor knows already what it was computed from"
        )
    if depth is not None:
        raise TypeError(
            "depth folds modules, and a tensor does not know which modules computed it: "
            "aino.draw(module, x, depth=...) runs the module and sees"
        )


def _tensors(value: Any, path: str, strict: bool) -> Iterator[tuple[str, Tensor]]:
    """Yield the tensors of a nested structure, each with where it is; ``strict``: only tensors."""
    if isinstance(value, Tensor):
        yield path, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _tensors(item, f"{path}[{key!r}]" if path else str(key), strict)
    elif isinstance(value, (tuple, list)):
        for position, item in enumerate(value):
            yield from _tensors(item, f"{path or 'output'}[{position}]", strict)
    elif strict and value is not None:
        raise TypeError(f"{path} should be a tensor, not {type(value).__name__}")
