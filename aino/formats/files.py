"""Files of others: opened, written and told of as ``.dit`` files are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aino.dit.atomic import replacing
from aino.dit.handing_over import handing_over
from aino.dit.source import Source, is_file
from aino.errors import DitError, FormatError


class File(Source):
    """A file that is read without trust; what it is refused for is a `FormatError`."""

    refusal = FormatError


@contextmanager
def writing(f: Any) -> Iterator[Any]:
    """Write a file whole or not at all: at a path atomically, else into the open file."""
    try:
        with handing_over(f) if is_file(f) else replacing(f) as output:
            yield output
    except DitError as error:
        raise FormatError(*error.args) from error.__cause__
