"""``find_nan``: the first operation that made a NaN or inf, its module, and the user's line."""

from __future__ import annotations

import contextlib
import functools
import threading
import weakref
from collections.abc import Callable, Sequence
from typing import Any, Self

from aino.autograd import calling, inplace
from aino.autograd.anomaly import set_detect_anomaly
from aino.autograd.function import called
from aino.autograd.interposing import Interposed
from aino.autograd.mode import mode
from aino.autograd.node import Cotangents, Node
from aino.autograd.passes import followers
from aino.autograd.tensor import Tensor
from aino.debug.advice import advice_on
from aino.debug.ranges import Range, has_inf, has_nan, range_of
from aino.debug.sites import Modules, Site, user_site
from aino.debug.tables import Report, Table
from aino.errors import AnomalyError
from aino.nn.base.module import Module
from aino.nn.base.parameter import Parameter
from aino.tracing import forbid_in_trace, session


class Finding(Report):
    """The first operation that made a NaN or inf, or that was given one.

    ``value``: ``"NaN"`` or ``"inf"``. ``made``: whether the operation made it; else it was there
    before. ``direction``: ``"forward"`` or ``"backward"``. ``operation``: the name of the
    operation, ``formula`` what it computes. ``module``: the module that was at work, "" for none.
    ``site``: the user's line (``file``, ``line``, ``function``, ``text``); in a backward pass that
    of the operation that is differentiated. ``trace``: what anomaly mode has noted of one that was
    recorded before the search began, else "". ``inputs``, ``outputs``: what went in and came out,
    as ``Range`` s. ``advice``: what may help.
    """

    def __init__(
        self, value: str, made: bool, direction: str, operation: str, formula: str, module: str,
        site: Site | None, trace: str, inputs: list[Range], outputs: list[Range], advice: str,
    ) -> None:  # fmt: skip
        self.value = value
        self.made = made
        self.direction = direction
        self.operation = operation
        self.formula = formula
        self.module = module
        self.site = site
        self.trace = trace
        self.inputs = inputs
        self.outputs = outputs
        self.advice = advice

    def parts(self) -> list[str | Table]:
        done = "made by" if self.made else "was there before"
        what = f"{self.value} {done} {self.operation}, {self.direction}"
        rows = [
            ["operation", f"{self.operation}: {self.formula}" if self.formula else self.operation]
        ]
        rows += [["module", self.module]] if self.module else []
        rows += [["line", str(self.site)]] if self.site is not None else []
        rows += [["recorded at", line.strip()] for line in self.trace.splitlines()]
        rows += [[f"in   {found.name}", str(found)] for found in self.inputs]
        rows += [[f"out  {found.name}", str(found)] for found in self.outputs]
        rows += [["advice", self.advice]] if self.advice else []
        return [what, Table(["", ""], rows)]


class NanError(AnomalyError):
    """What ``find_nan`` raises; ``found`` is the ``Finding``."""

    def __init__(self, found: Finding) -> None:
        super().__init__(str(found))
        self.found = found


class find_nan(contextlib.ContextDecorator):
    """Stop at the first operation that makes a NaN or inf, forward or backward.

    Inside the block each operation of this thread, and each step of a backward pass, is looked at;
    the first whose result is not finite though its inputs are raises ``NanError``, which says what
    it is, in which module, on which line of yours, and what went in. Compiled functions run as
    they are meanwhile. A NaN that was in the data or in a parameter before is told of as such, and
    so is inf; but for -inf that was given, as masks do. It is slow: for debugging only.

    Arguments:
        model: whose modules are called by their paths in it; by default by those in the outermost
            module that is called.
        inf: False looks for NaN alone.
        raises: False goes on, and keeps the first in ``found``, which is None where there was none.

    >>> import aino
    >>> x = aino.tensor([4.0, 0.0], requires_grad=True)
    >>> with aino.debug.find_nan(raises=False) as search:
    ...     aino.sqrt(x * x).sum().backward()
    >>> search.found.direction, search.found.operation, search.found.value
    ('backward', 'SqrtBackward0', 'inf')
    """

    def __init__(
        self, model: Module | None = None, *, inf: bool = True, raises: bool = True
    ) -> None:
        if model is not None and not isinstance(model, Module):
            raise TypeError(
                f"find_nan: model is an nn.Module, not {type(model).__name__}; what is computed "
                "stands in the block: with aino.debug.find_nan(model): ..."
            )
        self.found: Finding | None = None
        self.inf = inf
        self.raises = raises
        self._modules = Modules(model)
        self._made: Any = weakref.WeakKeyDictionary()
        self._entered: list[tuple[int | None, bool, Interposed, set_detect_anomaly]] = []
        #: The thread that is inside the block.
        self._searching: int | None = None

    def __enter__(self) -> Self:
        forbid_in_trace("find_nan", "have it around the call of the compiled function")
        if not self._entered:
            self.found = None
        looked_at = Interposed([(Module.__call__, self._modules.around), (called, self._called)])
        for method, general in inplace.shortcuts.items():
            looked_at.watch(method, functools.partial(_by_the_function, general))
        for function in calling.ready():
            looked_at.watch(function, functools.partial(self._around, function))
        # Anomaly mode notes the lines of what is no primitive, such as Functions of the user's.
        lines = set_detect_anomaly(True, mode.anomaly and mode.check_nan)
        self._entered.append((self._searching, session.as_it_is, looked_at, lines))
        self._searching = threading.get_ident()
        session.as_it_is = True
        looked_at.begin()
        calling.on_ready.append(self._look_at)
        followers.append(self._backward)
        return self

    def __exit__(self, *_: object) -> None:
        followers.remove(self._backward)
        calling.on_ready.remove(self._look_at)
        entered = self._entered.pop()
        self._searching = entered[0]
        session.as_it_is = entered[1]
        entered[2].end()
        entered[3].__exit__()

    def _look_at(self, function: Any) -> None:
        for *_, looked_at, _ in self._entered[-1:]:
            looked_at.add(function, functools.partial(self._around, function))

    def _is_mine(self) -> bool:
        # Calls of other threads come by as well, also when the block has just ended.
        return (
            self.found is None
            and session.trace is None
            and self._searching == threading.get_ident()
        )

    def _around(self, function: Any, call: Callable[..., Any], *arguments: Any, **keywords: Any):
        result = call(*arguments, **keywords)
        if mode.walking or not self._is_mine():
            return result
        results: Any = [result] if isinstance(result, Tensor) else result
        if type(results) is not list and type(results) is not tuple:
            return result  # what a kernel computes with arrays
        site = user_site()
        for part in results:
            if isinstance(part, Tensor) and part.node is not None:
                self._made[part.node] = site, self._modules.now
        bad = self._bad(results)
        if bad:
            given = _named(function, arguments, keywords)
            self._forward(function.primitive, bad, given, results, site)
        return result

    def _called(self, call: Callable[..., Any], cls: Any, args: tuple, *kept: Any):
        """Look at a Function of the user's, whose ``forward`` may compute elsewhere."""
        before = [has_nan(x) or has_inf(x) for x in args]
        result = call(cls, args, *kept)
        if not mode.walking and self._is_mine():
            results = result if isinstance(result, tuple) else (result,)
            bad = "" if any(before) else self._bad(results)
            if bad:
                given = [(f"argument {place}", value) for place, value in enumerate(args)]
                self._forward(cls, bad, given, results, user_site())
        return result

    def _bad(self, values: Sequence[Any]) -> str:
        if any([has_nan(value) for value in values]):
            return "NaN"
        return "inf" if self.inf and any([has_inf(value) for value in values]) else ""

    def _forward(self, declared, bad: str, given, results, site: Site | None) -> None:
        """Tell of an operation, a primitive or a Function."""
        values = [value for _, value in given]
        if bad == "NaN":
            made = not any([has_nan(value) for value in values])
        else:
            made = not any([has_inf(value) or has_nan(value) for value in values])
            parameters = any([has_inf(v) for v in values if isinstance(v, Parameter)])
            if not made and not parameters and not any([has_inf(v, "+") for v in values]):
                return
            if not made and any([isinstance(v, float) and has_inf(v) for v in values]):
                return
        name = getattr(declared, "name", None) or declared.__name__
        formula = getattr(declared, "formula", "")
        advice = advice_on(name, bad, "forward", made, values)
        given = [(self._label(label, value), value) for label, value in given]
        self._tell(Finding(
            bad, made, "forward", name, formula, self._modules.now, site, "",
            _ranges(given), _ranges([("result", value) for value in results]), advice,
        ))  # fmt: skip

    def _label(self, label: str, value: Any) -> str:
        """Return the name of an argument, with that of the parameter that it is."""
        known = self._modules.parameter_name(value) if isinstance(value, Tensor) else ""
        return f"{label} = {known}" if known else label

    def _backward(self, node: Node, inputs, saved, cotangent, cotangents) -> None:
        if not self._is_mine():
            return
        results = [part for part in cotangents if not isinstance(part, Cotangents)]
        bad = self._bad(results)
        if not bad:
            return
        parts = cotangent.parts.values() if isinstance(cotangent, Cotangents) else [cotangent]
        made = not any([has_nan(part) or has_inf(part) for part in parts])
        site, module = self._made.get(node, (None, ""))
        trace = node.extras.trace if node.extras is not None and site is None else None
        declared = node.primitive
        names = declared.saved_names if declared is not None else ()
        given = [("gradient", part) for part in parts]
        given += list(zip(names, saved)) if len(names) == len(saved) else []
        advice = advice_on(declared.name if declared else "", bad, "backward", made, [])
        self._tell(Finding(
            bad, made, "backward", node.name(), declared.formula if declared else "", module, site,
            trace or "", _ranges(given),
            _ranges([(f"gradient of input {place}", part) for place, part in enumerate(results)]),
            advice,
        ))  # fmt: skip

    def _tell(self, found: Finding) -> None:
        self.found = found
        if self.raises:
            raise NanError(found)


def _by_the_function(general: Callable[..., Any], call: Any, *arguments: Any, **keywords: Any):
    """Have an in-place form call its function, at which is looked, in the place of a ufunc."""
    return general(*arguments, **keywords)


def _named(function: Any, arguments: tuple, keywords: dict[str, Any]) -> list[tuple[str, Any]]:
    """Return what a primitive was given, each with its name; the tensors of a list one by one."""
    declared = function.primitive
    names = [*declared.arguments, *declared.parameters]
    found: list[tuple[str, Any]] = []
    for name, value in [*zip(names, arguments), *keywords.items()]:
        if isinstance(value, (list, tuple)) and any([isinstance(part, Tensor) for part in value]):
            found += [(f"{name}[{place}]", part) for place, part in enumerate(value)]
        else:
            found.append((name, value))
    return found


def _ranges(values: list[tuple[str, Any]]) -> list[Range]:
    found = [range_of(name, value) for name, value in values]
    return [one for one in found if one is not None]
