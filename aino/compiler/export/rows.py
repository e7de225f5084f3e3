"""The rows by which a format writes functions and calls, registered where they stand."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from aino.compiler.export.recording import Table


class Rows:
    """Which row of a format writes a function, a primitive or a call of the program.

    ``functions``: the rows of AINO's own functions, and of primitives. ``calls``: those of calls,
    (operation, function or name) -> row. A row is a function whose first argument is what it
    writes to.
    """

    def __init__(self) -> None:
        self.functions = Table()
        self.calls: dict[tuple[str, Any], Any] = {}

    def whole(self, *functions: Any) -> Callable:
        """Register a row for functions of AINO's that are written as they stand, and primitives."""

        def register(row):
            row.takes = tuple(inspect.signature(row).parameters)[1:]
            for function in functions:
                self.functions.add(function, row)
            return row

        return register

    def of(self, operation: str) -> Callable:
        """Return what registers rows for calls of an operation, by their functions or names."""

        def named(*functions: Any) -> Callable:
            def register(row):
                for function in functions:
                    self.calls[operation, function] = row
                return row

            return register

        return named
