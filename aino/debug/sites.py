"""Where something happens: the line of the user's code, and the module that is at work."""

from __future__ import annotations

import linecache
import os
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from types import CodeType, FrameType
from typing import Any, NamedTuple

from aino.nn.base.module import Module
from aino.tracing import session
from aino.user_warnings import OWN


class Site(NamedTuple):
    """A line of the user's code: where it stands, and in which function."""

    file: str
    line: int
    function: str

    @property
    def text(self) -> str:
        """The line itself, "" where its file can't be read."""
        return linecache.getline(self.file, self.line).strip()

    def __str__(self) -> str:
        where = f"{short(self.file)}:{self.line} in {self.function}"
        return f"{where}: {self.text}" if self.text else where


def short(file: str) -> str:
    """Return a path as it is read most easily: from the working directory on, if it is there."""
    if file.startswith("<"):
        return file
    here = os.getcwd() + os.sep
    return file[len(here) :] if file.startswith(here) else file


_own: dict[CodeType, bool] = {}


def is_own(code: CodeType) -> bool:
    """Tell whether code is AINO's, or NumPy's, and no line of the user's."""
    known = _own.get(code)
    if known is None:
        if len(_own) > 10_000:
            _own.clear()
        known = _own[code] = code.co_filename.startswith(OWN)
    return known


def frames(depth: int = 1) -> Iterator[FrameType]:
    """Yield the frames of the user's code that are at work, the innermost first."""
    frame: FrameType | None = sys._getframe(depth)
    while frame is not None:
        if not is_own(frame.f_code):
            yield frame
        frame = frame.f_back


def site_of(frame: FrameType) -> Site:
    """Return the line that a frame is at."""
    return Site(frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name)


def user_site() -> Site | None:
    """Return the innermost line of the user's that is at work."""
    for frame in frames(2):
        return site_of(frame)
    return None


class _Stack(threading.local):
    """The modules that are at work in a thread, the outermost first, with their names."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.root: Any = None


class Modules:
    """Names the module that is at work, as long as ``around`` stands around ``Module.__call__``.

    Modules are called by their paths from ``model``, else from the outermost that was called.
    """

    def __init__(self, model: Module | None = None) -> None:
        self._stack = _Stack()
        self._model = model
        self._names: Any = weakref.WeakKeyDictionary()

    @property
    def now(self) -> str:
        """The module that is at work in this thread, "" where none is."""
        names = self._stack.names
        return names[-1] if names else ""

    def around(self, call: Callable[..., Any], module: Module, *arguments: Any, **keywords: Any):
        """Call a module, and know it until it has returned."""
        if session.trace is not None:
            return call(module, *arguments, **keywords)
        stack = self._stack
        if not stack.names:
            stack.root = module
        stack.names.append(self.name_of(module))
        try:
            return call(module, *arguments, **keywords)
        finally:
            stack.names.pop()
            if not stack.names:
                stack.root = None

    def parameter_name(self, tensor: Any) -> str:
        """Return what a parameter or buffer is called in the model, "" for what is none of it."""
        for root in (self._model, self._stack.root):
            if root is not None:
                for name, own in [*root.named_parameters(), *root.named_buffers()]:
                    if own is tensor:
                        return name
        return ""

    def name_of(self, module: Module) -> str:
        """Return a module's path and class."""
        for root in (self._model, self._stack.root):
            if root is None:
                continue
            names = self._names.get(root)
            if names is None or module not in names:
                names = weakref.WeakKeyDictionary()
                for path, inside in root.named_modules():
                    names[inside] = labelled(path, inside)
                self._names[root] = names
            if module in names:
                return names[module]
        return type(module).__name__


def labelled(path: str, module: Module) -> str:
    """Return how a module is called: its path, and its class."""
    kind = type(module).__name__
    return f"{path} ({kind})" if path else kind
