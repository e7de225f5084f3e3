"""One tensor at a time, or a part of one, out of a file that stays open."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.autograd.tensor import Tensor, make
from aino.devices import check_device
from aino.errors import FormatError
from aino.formats.files import File
from aino.formats.safetensors.reader import Reader, finished, make_map, stored_dtype


class safe_open:
    """A file whose tensors are read when they are asked for.

    Arguments:
        filename: a path.
        framework: ``"pt"`` gives tensors, ``"np"`` (or ``"numpy"``) NumPy arrays.
        device: the CPU.
        backend: the package's way to read; changes nothing here.

    Raises ``FormatError`` for what is not a sound file.

    >>> import aino, tempfile, os
    >>> from aino.formats.safetensors import safe_open
    >>> path = os.path.join(tempfile.mkdtemp(), "model.safetensors")
    >>> aino.save({"weight": aino.arange(6).reshape(2, 3)}, path, metadata={"by": "me"})
    >>> with safe_open(path) as file:
    ...     print(file.keys(), file.metadata(), file.get_slice("weight")[1, :2])
    ['weight'] {'by': 'me'} tensor([3, 4])
    """

    def __init__(
        self, filename: Any, framework: str = "pt", device: Any = "cpu", *, backend: str = "mmap"
    ) -> None:
        if framework not in ("pt", "np", "numpy"):
            raise FormatError(f"framework is 'pt' (tensors) or 'np' (arrays), not {framework!r}")
        if backend not in ("mmap", "pread"):
            raise FormatError(f"backend is 'mmap' or 'pread', not {backend!r}")
        check_device(device)
        self._wrap = make if framework == "pt" else np.asarray
        self._source = File(filename)
        try:
            self._reader = Reader(self._source)
        except BaseException:
            self._source.__exit__(None, None, None)
            raise

    def __enter__(self) -> safe_open:
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        self._source.__exit__(kind, error, trace)

    def keys(self) -> list[str]:
        """Return the names of the tensors."""
        return [*self._reader.table.rows]

    def offset_keys(self) -> list[str]:
        """Return the names of the tensors in the order of their places in the file."""
        rows = self._reader.table.rows
        return sorted(rows, key=lambda name: rows[name].offset)

    def metadata(self) -> dict[str, str] | None:
        """Return the strings that the file carries, or None."""
        found = self._reader.table.metadata
        return None if found is None else dict(found)

    def get_tensor(self, name: str) -> Any:
        """Return a tensor, read now; ``FormatError`` where there is none of this name."""
        self._check(name)
        return self._wrap(self._reader.array(name))

    def get_tensors(self) -> dict[str, Any]:
        """Return all tensors by name."""
        return {name: self.get_tensor(name) for name in self.keys()}

    def get_slice(self, name: str) -> Slice:
        """Return what reads parts of a tensor; ``FormatError`` where there is none of the name."""
        self._check(name)
        return Slice(self._reader, name, self._wrap)

    def _check(self, name: str) -> None:
        if name not in self._reader.table.rows:
            raise self._source.error(f"holds no tensor {name!r:.100}")


class Slice:
    """A tensor of which only the part that is asked for is read."""

    def __init__(self, reader: Reader, name: str, wrap: Any) -> None:
        self._reader = reader
        self._name = name
        self._row = reader.table.rows[name]
        self._wrap = wrap

    def get_shape(self) -> list[int]:
        """Return the whole tensor's shape."""
        return [*self._row.shape]

    def get_dtype(self) -> str:
        """Return the format's name of the dtype, such as ``"F32"``."""
        return self._row.dtype

    def __getitem__(self, index: Any) -> Tensor | np.ndarray:
        reader, row = self._reader, self._row
        stored = stored_dtype(reader.source, self._name, row)
        if not row.nbytes:
            part = np.empty(row.shape, stored)[index]
        else:
            part = np.ndarray(row.shape, stored, make_map(reader.source), row.offset)[index]
        whole = np.array(part, order="C")  # so that the map can go
        return self._wrap(finished(reader.source, self._name, row, whole))
