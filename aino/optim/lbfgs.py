"""L-BFGS: a quasi-Newton method with a limited memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from aino.autograd.memory import stamp_write
from aino.autograd.mode import enable_grad
from aino.autograd.tensor import Tensor, make
from aino.optim.bucket import COMPONENT
from aino.optim.checks import check_not_negative
from aino.optim.line_search import Point, strong_wolfe
from aino.optim.optimizer import Optimizer, number, settings
from aino.tracing import forbid_in_trace


class LBFGS(Optimizer):
    """Steps along an inverse Hessian that is estimated from the last ``history_size`` gradients.

    ``step(closure)`` runs up to ``max_iter`` iterations; ``closure`` clears the gradients,
    computes the loss, calls ``backward`` and returns the loss. ``line_search_fn`` is None (fixed
    steps of ``lr``) or "strong_wolfe". Raises ``ValueError`` for more than one parameter group.

    Arguments:
        params: tensors to step: one group.
        lr: the learning rate: how far a step goes; a number or a tensor of one element.
        max_iter: iterations of one step, at most.
        max_eval: calls of the closure in one step, at most; 1.25 · ``max_iter`` by default.
        tolerance_grad: stop when no element of the gradient is larger.
        tolerance_change: stop when loss or parameters change less.
        history_size: how many steps the estimate remembers.
        line_search_fn: None, or ``"strong_wolfe"`` to search for the length of each step.

    >>> import aino
    >>> w = aino.tensor([3.0], requires_grad=True)
    >>> optimizer = aino.optim.LBFGS([w], line_search_fn="strong_wolfe")
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = ((w - 1.0) ** 2).sum()
    ...     loss.backward()
    ...     return loss
    >>> optimizer.step(closure)
    tensor(4., grad_fn=<SumBackward0>)
    >>> w
    tensor([1.], requires_grad=True)

    Source: Liu and Nocedal, "On the limited memory BFGS method for large scale optimization",
    1989.
    """

    def __init__(
        self,
        params: Iterable,
        lr: Any = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        if max_eval is None:
            max_eval = max_iter * 5 // 4
        super().__init__(params, settings(locals()))

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add the only group that there may be."""
        if self.param_groups:
            raise ValueError("LBFGS doesn't support per-parameter options (parameter groups)")
        super().add_param_group(param_group)

    def _check(self, group: Mapping[str, Any]) -> None:
        check_not_negative(group, "lr", "tolerance_grad", "tolerance_change")
        if group["line_search_fn"] not in (None, "strong_wolfe"):
            raise ValueError(
                f"line_search_fn is None or 'strong_wolfe', not {group['line_search_fn']!r}"
            )

    # Parameters and gradients as one row of real numbers

    def _parameters(self) -> list[Tensor]:
        return self.param_groups[0]["params"]

    def _gather_gradients(self) -> np.ndarray:
        rows = []
        for parameter in self._parameters():
            gradient = parameter.grad
            array = np.zeros_like(parameter.array) if gradient is None else gradient.array
            rows.append(_row(array))
        return np.concatenate(rows)

    def _move(self, origin: list[np.ndarray], distance: float, direction: np.ndarray) -> None:
        """Set the parameters to a point on a line."""
        start = 0
        for parameter, values in zip(self._parameters(), origin):
            array = parameter.array
            row = _row(values)
            part = direction[start : start + row.size]
            moved = row + distance * part
            np.copyto(array, moved.view(array.dtype).reshape(array.shape))
            stamp_write(array)
            start += row.size

    # The step

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Run up to ``max_iter`` iterations; return the loss that the closure gave first."""
        forbid_in_trace("LBFGS.step()", "compile the closure instead")
        if closure is None:
            raise TypeError("LBFGS.step() needs a closure that returns the loss")
        group = self.param_groups[0]
        state = self.state[self._parameters()[0]]
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)

        def evaluate() -> tuple[Any, float, np.ndarray]:
            with enable_grad():
                loss = closure()
            state["func_evals"] += 1
            array = loss.array if isinstance(loss, Tensor) else loss
            return loss, float(array), self._gather_gradients()

        first_loss, loss, gradient = evaluate()
        evaluations = 1
        if not np.abs(gradient).max() > group["tolerance_grad"]:
            return first_loss
        memory = Memory(state, group["history_size"])
        lr = number(group["lr"])
        for iteration in range(1, group["max_iter"] + 1):
            state["n_iter"] += 1
            direction = memory.direction(gradient)
            memory.previous = gradient
            before = loss
            t = lr
            if state["n_iter"] == 1:
                t = min(1.0, 1.0 / float(np.abs(gradient).sum())) * lr
            memory.t = t
            slope = float(np.dot(gradient, direction))
            if slope > -group["tolerance_change"]:
                break
            origin = [parameter.array.copy() for parameter in self._parameters()]
            if group["line_search_fn"] is not None:

                def along(distance: float, origin=origin, direction=direction) -> Point:
                    self._move(origin, distance, direction)
                    _, loss, gradient = evaluate()
                    return Point(distance, loss, gradient, float(np.dot(gradient, direction)))

                found, count = strong_wolfe(
                    along,
                    Point(0.0, loss, gradient, slope),
                    t,
                    float(np.abs(direction).max()),
                    group["max_eval"] - evaluations,
                    group["tolerance_change"],
                )
                evaluations += count
                memory.t = t = found.t
                loss, gradient = found.loss, found.gradient
                self._move(origin, t, direction)
            else:
                self._move(origin, t, direction)
                if iteration < group["max_iter"]:
                    _, loss, gradient = evaluate()
                    evaluations += 1
            if (
                evaluations >= group["max_eval"]
                or np.abs(gradient).max() <= group["tolerance_grad"]
                or np.abs(direction * t).max() <= group["tolerance_change"]
                or abs(loss - before) < group["tolerance_change"]
            ):
                break
        memory.save(state, before)
        return first_loss


class Memory:
    """The last steps and what they did to the gradient; it stands for the inverse Hessian."""

    def __init__(self, state: Mapping[str, Any], size: int) -> None:
        self.size = size
        self.d: np.ndarray | None = _array(state.get("d"))
        self.t = number(state.get("t"))
        #: Differences of gradients ``y`` and of positions ``s``, and 1 / (y · s).
        self.differences = [_array(y) for y in state.get("old_dirs") or []]
        self.steps = [_array(s) for s in state.get("old_stps") or []]
        self.weights = [float(number(weight)) for weight in state.get("ro") or []]
        self.scale = float(number(state.get("H_diag", 1.0)))
        self.previous = _array(state.get("prev_flat_grad"))

    def direction(self, gradient: np.ndarray) -> np.ndarray:
        """Take in a gradient and return the direction to go: -(inverse Hessian) · gradient."""
        if self.previous is None:
            self.d = -gradient
            return self.d
        difference = gradient - self.previous
        step = self.d * self.t
        curvature = float(np.dot(difference, step))
        if curvature > 1e-10:
            if len(self.steps) == self.size:
                for history in (self.differences, self.steps, self.weights):
                    history.pop(0)
            self.differences.append(difference)
            self.steps.append(step)
            self.weights.append(1.0 / curvature)
            self.scale = curvature / float(np.dot(difference, difference))
        q = -gradient
        alphas = []
        for y, s, weight in zip(self.differences[::-1], self.steps[::-1], self.weights[::-1]):
            alphas.append(float(np.dot(s, q)) * weight)
            q -= alphas[-1] * y
        q *= self.scale
        for y, s, weight, alpha in zip(self.differences, self.steps, self.weights, alphas[::-1]):
            q += (alpha - float(np.dot(y, q)) * weight) * s
        self.d = q
        return q

    def save(self, state: Any, previous_loss: float) -> None:
        """Write the memory into an optimizer's state, under PyTorch's names."""
        state["d"] = make(self.d)
        state["t"] = self.t
        state["old_dirs"] = [make(y) for y in self.differences]
        state["old_stps"] = [make(s) for s in self.steps]
        state["ro"] = list(self.weights)
        state["H_diag"] = self.scale
        state["prev_flat_grad"] = make(self.previous)
        state["prev_loss"] = previous_loss


def _row(array: np.ndarray) -> np.ndarray:
    """Return an array as a row of real numbers."""
    row = np.ascontiguousarray(array).reshape(-1)
    component: np.dtype = COMPONENT.get(row.dtype, row.dtype)
    return row.view(component)


def _array(value: Any) -> Any:
    return value.array if isinstance(value, Tensor) else value
