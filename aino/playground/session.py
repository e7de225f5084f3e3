"""A network that learns one step at a time, forwards and back: the engine behind the page."""

from __future__ import annotations

import base64
import copy
import io
import math
from typing import Any

import numpy as np

from aino.autograd.mode import no_grad
from aino.autograd.tensor import Tensor, make
from aino.dit import save
from aino.estimators.neural_network import NeuralNetwork
from aino.nn import functional as F
from aino.nn.modules.scaling import InputScaling
from aino.optim import SGD, Adam
from aino.playground import data as points_of
from aino.playground.program import program

ACTIVATIONS = ("tanh", "relu", "sigmoid", "gelu", "linear")
OPTIMIZERS = {"sgd": SGD, "adam": Adam}
#: The largest network that still can be looked at.
MOST_LAYERS, MOST_UNITS = 6, 8
#: How many steps can be taken back, and at once.
_KEPT, _AT_ONCE = 4000, 1000
#: Into how many places each axis is cut: of the plane, and of the small pictures in the circles.
PLANE, SMALL = 64, 24
#: How many losses are shown.
_CURVE = 240


class Session:
    """What the page shows: points, a network, and every step that it has taken.

    Raises ``ValueError`` for settings that are none, in words for the page.

    Arguments:
        settings: a dictionary of ``hidden`` (sizes of the hidden layers), ``activation``,
            ``optimizer``, ``lr``, ``seed``, and one of ``shape``, ``points`` and ``table``.
    """

    def __init__(self, settings: Any) -> None:
        if not isinstance(settings, dict):
            raise ValueError("settings are a dictionary")
        hidden = settings.get("hidden", [4, 3])
        if not isinstance(hidden, list) or len(hidden) > MOST_LAYERS or not all(
            is_whole(size) and 1 <= size <= MOST_UNITS for size in hidden
        ):  # fmt: skip
            raise ValueError(f"up to {MOST_LAYERS} hidden layers have 1 to {MOST_UNITS} units each")
        self.activation = _one_of("activation", settings.get("activation", "tanh"), ACTIVATIONS)
        self.optimizer_name = _one_of("optimizer", settings.get("optimizer", "adam"), OPTIMIZERS)
        self.lr = settings.get("lr", 0.03)
        if isinstance(self.lr, bool) or not isinstance(self.lr, (int, float)) or not (
            0 < self.lr <= 100
        ):  # fmt: skip
            raise ValueError("the learning rate is a number above 0, and 100 at most")
        self.seed = settings.get("seed", 0)
        if not is_whole(self.seed) or not 0 <= self.seed < 2**31:
            raise ValueError("the seed is a whole number, 0 or more")
        self.data = _data(settings, self.seed)
        self.several = len(self.data.labels) > 2
        outputs = len(self.data.labels) if self.several else 1
        self.sizes = [2, *hidden, outputs]
        self.network = NeuralNetwork(
            self.sizes, self.activation, "softmax" if self.several else "sigmoid", seed=self.seed
        )
        if self.data.scaled:
            mean, deviation = self.data.points.mean(axis=0), self.data.points.std(axis=0)
            self.network.input_scaling = InputScaling(2, mean, deviation)
        kind = OPTIMIZERS[self.optimizer_name]
        self.optimizer = kind(self.network.layers.parameters(), lr=float(self.lr))
        classes = self.data.classes
        self.inputs = self.scaled(self.data.points)
        self.targets = make(classes if self.several else classes[:, None].astype(np.float32))
        self.step = 0
        #: The step that the oldest snapshot is of, the snapshots, and the loss before each step.
        self.first = 0
        self._snapshots: list[Any] = []
        self.losses = [self._loss().array.item() if len(classes) else math.nan]

    def scaled(self, points: np.ndarray) -> Tensor:
        """Return points as the first layer is given them."""
        scaling = self.network.input_scaling
        rows = make(points) if scaling is None else scaling(make(points)).detach()
        return make(rows.array.astype(np.float32))

    def loss_of(self, sums: Any, targets: Any) -> Any:
        """Return the mean loss of sums of the last layer."""
        if self.several:
            return F.cross_entropy(sums, targets)
        return F.binary_cross_entropy_with_logits(sums, targets)

    def _loss(self) -> Any:
        return self.loss_of(self.network.sums(self.inputs), self.targets)

    def forward(self, steps: Any) -> None:
        """Take steps of the training, each with all points."""
        self._check_steps(steps)
        if not len(self.data.points):
            raise ValueError("there are no points to learn from: draw some")
        for _ in range(steps):
            self._snapshots.append(self._state())
            self.optimizer.zero_grad()
            self._loss().backward()
            self.optimizer.step()
            self.optimizer.zero_grad()
            self.step += 1
            with no_grad():
                self.losses.append(self._loss().array.item())
            if len(self._snapshots) > _KEPT:
                del self._snapshots[0]
                self.first += 1

    def back(self, steps: Any) -> None:
        """Take steps back: weights, and what the optimizer remembers, are what they were."""
        self._check_steps(steps)
        steps = min(steps, self.step - self.first)
        if not steps:
            return
        weights, optimizer = self._snapshots[-steps]
        del self._snapshots[-steps:], self.losses[-steps:]
        self.step -= steps
        for parameter, array in zip(self.network.layers.parameters(), weights):
            parameter.array[...] = array
        self.optimizer.load_state_dict(optimizer)

    def _check_steps(self, steps: Any) -> None:
        if not is_whole(steps) or not 1 <= steps <= _AT_ONCE:
            raise ValueError(f"steps are a whole number from 1 to {_AT_ONCE}")

    def _state(self) -> Any:
        arrays = [parameter.array.copy() for parameter in self.network.layers.parameters()]
        return arrays, copy.deepcopy(self.optimizer.state_dict())

    # What is shown

    def state(self) -> dict[str, Any]:
        """Return everything that the page draws."""
        right = None
        with no_grad():
            if len(self.data.points):
                outputs = self._said(self.data.points)
                right = float((self._chosen(outputs) == self.data.classes).mean())
            plane = self._said(self._grid(PLANE))
            small = self._activities(SMALL)
        shares = plane if self.several else np.concatenate([1 - plane, plane], axis=1)
        layers = [
            {"weight": rounded(layer.weight.array), "bias": rounded(layer.bias.array),
             "activation": layer.activation}
            for layer in self.network.layers
        ]  # fmt: skip
        return {
            "step": self.step, "first": self.first, "loss": finite(self.losses[-1]),
            "right": right, "losses": self._curve(), "layers": layers, "sizes": self.sizes,
            "plane": {"size": PLANE, "chosen": packed(shares.argmax(axis=1)),
                      "share": packed(255 * shares.max(axis=1))},
            "small": {"size": SMALL, "maps": small},
            "data": {"points": rounded(self.data.points), "classes": self.data.classes.tolist(),
                     "labels": self.data.labels, "names": list(self.data.names),
                     "box": list(self.data.box)},
        }  # fmt: skip

    def _said(self, points: np.ndarray) -> np.ndarray:
        """Return the probabilities that the network gives for points."""
        scales = self.network.input_scaling is not None
        return self.network(make(points if scales else points.astype(np.float32))).array

    def _chosen(self, outputs: np.ndarray) -> np.ndarray:
        return outputs.argmax(axis=1) if self.several else (outputs[:, 0] > 0.5).astype(np.int64)

    def _grid(self, size: int) -> np.ndarray:
        left, right, bottom, top = self.data.box
        xs = left + (right - left) * (np.arange(size) + 0.5) / size
        ys = top - (top - bottom) * (np.arange(size) + 0.5) / size
        return np.stack([part.ravel() for part in np.meshgrid(xs, ys)], axis=1)

    def _activities(self, size: int) -> list[list[str]]:
        """Return what each unit gives over the plane, from -1 to 1 of its own range, as bytes."""
        value = self.scaled(self._grid(size))
        layers = [value.array]
        for layer in self.network.layers:
            value = layer(value)
            layers.append(value.array)
        maps = []
        for array in layers:
            reach = np.maximum(np.abs(array).max(axis=0), 1e-9)
            maps.append([packed(column) for column in (127.5 + 127.5 * array / reach).T])
        return maps

    def _curve(self) -> list[list[float | None]]:
        """Return pairs of a step and its loss, few enough to be drawn."""
        stride = max(1, len(self.losses) // _CURVE)
        places = sorted({*range(0, len(self.losses), stride), len(self.losses) - 1})
        start = self.step - len(self.losses) + 1
        return [[start + place, finite(self.losses[place])] for place in places]

    # What is taken home

    def file(self) -> bytes:
        """Return the network as a ``.dit``."""
        content = io.BytesIO()
        save(self.network, content)
        return content.getvalue()

    def program(self) -> str:
        """Return the program that learns the same, step by step."""
        return program(self)


def packed(values: np.ndarray) -> str:
    """Return numbers from 0 to 255 as text."""
    array = np.clip(np.nan_to_num(values), 0, 255).astype(np.uint8)
    return base64.b64encode(array.tobytes()).decode("ascii")


def rounded(array: np.ndarray) -> Any:
    """Return numbers as lists, to seven digits; what is not finite as None."""
    if array.ndim:
        return [rounded(row) for row in array]
    return finite(float(f"{float(array):.7g}"))


def finite(value: float) -> float | None:
    """Return a number, or None for what is none: JSON has no other word for it."""
    return value if math.isfinite(value) else None


def _data(settings: dict[str, Any], seed: int) -> points_of.Data:
    given = [name for name in ("shape", "points", "table") if name in settings]
    if len(given) > 1:
        raise ValueError(f"one of shape, points and table is given, not {' and '.join(given)}")
    if "points" in settings:
        return points_of.drawn(settings["points"])
    if "table" in settings:
        return points_of.read(settings["table"])
    return points_of.made(str(settings.get("shape", "circles")), seed)


def _one_of(name: str, value: Any, known: Any) -> Any:
    if not isinstance(value, str) or value not in known:
        raise ValueError(f"{name} is one of {', '.join(known)}, not {value!r}")
    return value


def is_whole(value: Any) -> bool:
    """Tell whether a value is a whole number."""
    return isinstance(value, int) and not isinstance(value, bool)
