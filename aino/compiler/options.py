"""What ``aino.compile`` may be told beside the function: PyTorch's words, checked."""

from __future__ import annotations

from typing import Any

from aino.compiler.pipeline import PASSES
from aino.native.trials import stretch_type

#: PyTorch's modes: all of them mean the one way in which AINO compiles.
MODES = ("default", "reduce-overhead", "max-autotune", "max-autotune-no-cudagraphs")
#: What runs a program. ``inductor`` is PyTorch's name for the default.
BACKENDS = {
    "auto": "native where that package is installed, else numpy",
    "numpy": "the program as Python that calls NumPy",
    "native": "the program walked in C by the package aino-native",
    "inductor": "auto, under PyTorch's name for its default",
    "eager": "the function as it is, uncompiled",
}
#: Options of PyTorch's compiler that ask for nothing that AINO would do otherwise.
_HARMLESS = frozenset({
    "epilogue_fusion", "max_autotune", "fallback_random", "shape_padding", "triton.cudagraphs",
    "trace.enabled", "trace.graph_diagram",
})  # fmt: skip


def list_backends(exclude_tags: Any = ("debug", "experimental")) -> list[str]:
    """Return the names that ``aino.compile(backend=...)`` takes.

    ``exclude_tags`` is taken for PyTorch's sake: with None the debugging ones are named, too.

    >>> import aino
    >>> aino.compiler.list_backends()
    ['auto', 'inductor', 'native', 'numpy']
    """
    return sorted(name for name in BACKENDS if not exclude_tags or name != "eager")


def passes_of(passes: Any, options: dict[str, Any] | None) -> list[str]:
    """Return the optimisations to run, or say which is unknown."""
    wished = (options or {}).get("passes", passes)
    names = list(PASSES) if wished is None else list(wished)
    for name in names:
        if name not in PASSES:
            raise ValueError(f"unknown pass {name!r}; there are {', '.join(PASSES)}")
    return names


def walks(backend: str | None) -> bool:
    """Tell whether programs are walked in C; raise ``ImportError`` where they can't be."""
    if backend == "native" and stretch_type() is None:
        raise ImportError(
            "backend='native' needs the package aino-native: pip install 'aino[native]'"
        )
    return backend in (None, "auto", "inductor", "native") and stretch_type() is not None


def check_options(mode: Any, backend: Any, options: Any, dynamic: Any, limit: Any) -> None:
    """Raise for an unknown mode, backend or option, or a limit below 1."""
    if mode is not None and mode not in MODES:
        raise ValueError(f"unknown mode {mode!r}; there are {', '.join(MODES)}")
    if mode is not None and options:
        raise ValueError("either mode or options can be given, but both can't")
    if callable(backend):
        raise TypeError(
            "a backend of your own would be given an FX graph, which AINO does not make; leave "
            "backend out, and read the program in .source"
        )
    if backend is not None and backend not in BACKENDS:
        raise ValueError(f"unknown backend {backend!r}; there are {', '.join(sorted(BACKENDS))}")
    for name in options or {}:
        if name != "passes" and name not in _HARMLESS:
            raise ValueError(
                f"unknown option {name!r}; there is passes=[...], and for PyTorch's sake "
                f"{', '.join(sorted(_HARMLESS))}"
            )
    if dynamic is not None and not isinstance(dynamic, bool):
        raise TypeError(f"dynamic is True, False or None, not {dynamic!r}")
    if limit is not None and (not isinstance(limit, int) or limit < 1):
        raise ValueError(f"recompile_limit is how many programs are kept, at least 1: {limit!r}")
