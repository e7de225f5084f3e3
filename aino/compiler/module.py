"""A compiled module: a face of the module itself, whose calls are programs."""

from __future__ import annotations

import copy
from typing import Any

from aino.compiler.entry import ENTRANCE, entered


class CompiledModule:
    """What ``aino.compile`` returns for a ``Module``: the same module, called as a program.

    It is an instance of the module's class, too, and shares all its attributes: parameters,
    buffers, modules inside, mode and hooks are one and the same, whichever of the two is asked,
    and the keys of ``state_dict()`` are those of the module. Results lead back to parameters and
    arguments; under ``no_grad`` it is a predictor. ``_orig_mod`` is the module.
    """

    __slots__ = ("_compiled", "_orig_mod")
    _compiled: Any
    _orig_mod: Any

    def __call__(self, *args, **kwargs):
        return self._compiled.called(*args, **kwargs)

    @property
    def source(self) -> str:
        """The text of the program of the last signature, as it runs."""
        return self._compiled.source

    def show_source(self):
        """Return the program to be looked at, each line with its module; see ``Compiled``."""
        return self._compiled.show_source()

    def explain(self, calls: int = 20):
        """Return what was done to the program and what each of its lines costs."""
        return self._compiled.explain(calls)

    def save_source(
        self, path, weights=None, *, quantize: str | None = None, calibration: Any = None
    ) -> Any:
        """Write the predictor as a file that runs with NumPy alone, or as C; see ``Compiled``."""
        return self._compiled.save_source(path, weights, quantize=quantize, calibration=calibration)

    def __deepcopy__(self, memo):
        model = copy.deepcopy(self._orig_mod, memo)
        return face_of(model, type(self._compiled)(model, self._compiled.settings))

    def __copy__(self):
        model = copy.copy(self._orig_mod)
        return face_of(model, type(self._compiled)(model, self._compiled.settings))

    def __reduce__(self):
        return _again, (self._orig_mod, type(self._compiled), self._compiled.settings)


CompiledModule.__call__ = entered(  # type: ignore[method-assign]
    CompiledModule.__call__, vars(CompiledModule)["_compiled"], ENTRANCE
)


def _again(model, kind, settings):
    return face_of(model, kind(model, settings))


def face_of(model, compiled):
    """Return the face of a module: what has its attributes, and calls ``compiled``."""
    face: Any = object.__new__(_class_for(type(model)))
    object.__setattr__(face, "__dict__", vars(model))
    object.__setattr__(face, "_compiled", compiled)
    object.__setattr__(face, "_orig_mod", model)
    return face


def _class_for(kind: type) -> type:
    """Return the class of faces of a class of modules."""
    known = vars(kind).get("_compiled_class")
    if known is None:
        namespace = {
            "__slots__": (), "__module__": f"compiled {kind.__module__}", "__doc__": kind.__doc__,
        }  # fmt: skip
        known = type(kind)(f"Compiled{kind.__name__}", (CompiledModule, kind), namespace)
        kind._compiled_class = known  # type: ignore[attr-defined]
    return known
