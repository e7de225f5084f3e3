"""What a user gives as X and y, as arrays: lists, tensors, tables, sparse matrices.

Tables (pandas' and what is like them) are known by what they have, never imported. Numbers keep
the precision that they come in: whole numbers and what a table holds as objects are float64.
"""

from __future__ import annotations

from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np

from aino.autograd.tensor import Tensor
from aino.errors import DtypeError, ShapeError

_NUMBERS = (Real, Decimal, np.bool_)
#: How many numbers are looked at, or scaled, at once.
_BLOCK = 1 << 18


class Inputs:
    """The samples of X: a dense array, or a sparse matrix that is made dense batch by batch.

    ``names`` are those of a table's columns, None where there are none.
    """

    def __init__(self, rows: Any, names: list[str] | None, sparse: bool) -> None:
        self.rows, self.names, self.sparse = rows, names, sparse

    def __len__(self) -> int:
        return self.rows.shape[0]

    @property
    def features(self) -> int:
        """How many numbers a sample has."""
        return self.rows.shape[1]

    def take(self, chosen: Any) -> np.ndarray:
        """Return some samples, by a slice or by their numbers, as a dense array."""
        if self.sparse:
            return self.rows[chosen].toarray()
        # take() finds rows in half the time of rows[chosen].
        return self.rows[chosen] if isinstance(chosen, slice) else self.rows.take(chosen, 0)

    def some(self, chosen: Any) -> Inputs:
        """Return some samples as inputs of their own."""
        rows = self.rows[chosen] if self.sparse else self.take(chosen)
        return Inputs(rows, self.names, self.sparse)

    def blocks(self) -> Any:
        """Yield all samples in dense blocks that stay in the cache, each with its place."""
        size = max(1, _BLOCK // max(1, self.features))
        for start in range(0, len(self), size):
            place = slice(start, start + size)
            yield place, self.take(place)


def as_inputs(
    name: str, data: Any, features: int | None = None, columns: list[str] | None = None
) -> Inputs:
    """Return X as checked inputs (samples, features).

    Raises ``ShapeError`` for another number of features than wanted (None takes any),
    ``DtypeError`` for what is no number, and ``ValueError`` for what is not finite, and for a
    table with other ``columns`` than these.
    """
    names = None
    if is_sparse(data):
        rows = data.tocsr()
        if rows.dtype.kind not in "biuf":
            raise DtypeError(f"{name} has to hold real numbers, not {rows.dtype}")
        rows = rows if rows.dtype.kind == "f" else rows.astype(np.float64)
        _check_shape(name, rows.shape, features)
        if not np.isfinite(rows.data).all():
            place = int(np.argwhere(~np.isfinite(rows.data))[0, 0])
            row = int(np.searchsorted(rows.indptr, place, side="right")) - 1
            _refuse_number(f"{name}[{row}, {rows.indices[place]}]", rows.data[place])
        return Inputs(rows, None, True)
    if _is_table(data):
        names = [column for column in data.columns if isinstance(column, str)]
        names = names if len(names) == len(data.columns) else None
        _check_columns(name, names, columns)
    array = numbers(name, data)
    if array.ndim == 1 and features == 1:
        array = array[:, None]
    _check_shape(name, array.shape, features)
    check_finite(name, array)
    return Inputs(array, names, False)


def numbers(name: str, data: Any) -> np.ndarray:
    """Return what holds numbers as an array of float16, 32 or 64."""
    array = as_array(name, data)
    if array.dtype.kind in "OUST":
        raise DtypeError(f"{name} has to hold real numbers, not text{_example(name, array)}")
    return array if array.dtype.kind == "f" else array.astype(np.float64)


def as_array(name: str, data: Any) -> np.ndarray:
    """Return data as an array of booleans, real numbers, or of objects that are all text.

    Raises ``DtypeError`` for anything else, and where a value is missing, and says where.
    """
    if isinstance(data, Tensor):
        array = data.array
    elif is_sparse(data):
        raise DtypeError(f"{name} is sparse; it has to be an array: {name}.toarray()")
    elif _is_table(data):
        array = _of_table(name, data)
    elif _is_column(data):
        array = _of_column(name, data)
    else:
        try:
            array = np.asarray(data)
        except ValueError:
            raise ShapeError(f"the rows of {name} have different lengths") from None
    if array.dtype.kind in "UT":
        # In a list, NumPy turns numbers among text into text.
        given = data if isinstance(data, (list, tuple)) else array
        array = np.array(given, object) if array.size else array.astype(object)
    if array.dtype.kind == "O":
        return _of_objects(name, array)
    if array.dtype.kind not in "biuf":
        hint = f"; {name}.astype(str) makes text of it" if array.dtype.kind == "S" else ""
        raise DtypeError(f"{name} has to hold real numbers, not {array.dtype}{hint}")
    if array.dtype.itemsize > 8:
        array = array.astype(np.float64)
    return array


def _check_columns(name: str, given: list[str] | None, known: list[str] | None) -> None:
    """Raise unless a table has the columns that the network has learned from, in their order."""
    if given is None or known is None or given == known:
        return
    missing = [column for column in known if column not in given]
    surplus = [column for column in given if column not in known]
    if missing or surplus:
        why = f"without {missing}" * bool(missing) + " and" * bool(missing and surplus)
        why += f" with {surplus}" * bool(surplus)
        raise ValueError(f"{name} comes {why.strip()}: the network has learned from {known}")
    raise ValueError(
        f"the columns of {name} stand in another order than those that the network has learned "
        f"from: {name}[{known}] has them as they were"
    )


def check_finite(name: str, array: np.ndarray) -> None:
    """Raise ``ValueError`` that says where a number is none."""
    finite = np.isfinite(array)
    if not finite.all():
        place = tuple(np.argwhere(~finite)[0].tolist())
        _refuse_number(f"{name}{list(place)}" if place else name, array[place])


def is_sparse(data: Any) -> bool:
    """Tell whether this is one of SciPy's sparse matrices or arrays."""
    return hasattr(data, "tocsr") and hasattr(data, "nnz")


def _refuse_number(where: str, value: Any) -> None:
    raise ValueError(f"{where} is {value}: every number has to be finite")


def _check_shape(name: str, shape: tuple[int, ...], features: int | None) -> None:
    if len(shape) != 2 or (features is not None and shape[1] != features):
        taker = "a network" if features is None else f"a network of {features} inputs"
        wanted = "features" if features is None else features
        hint = _reshaped(name, shape, features)
        raise ShapeError(f"{name} has shape {shape}; {taker} takes (samples, {wanted}){hint}")


def _reshaped(name: str, shape: tuple[int, ...], features: int | None) -> str:
    """Say what makes a table of one row of numbers: samples of a feature, or one sample."""
    if len(shape) != 1 or not shape[0]:
        return ""
    column, sample = f"{name}.reshape(-1, 1)", f"{name}.reshape(1, -1)"
    if features is None:
        return f"; {column} makes samples of one feature of it, {sample} a single sample"
    return f"; {sample} makes a single sample of it" if features == shape[0] else ""


# Tables


def _is_table(data: Any) -> bool:
    return hasattr(data, "columns") and hasattr(data, "dtypes") and hasattr(data, "to_numpy")


def _is_column(data: Any) -> bool:
    return hasattr(data, "to_numpy") and hasattr(data, "dtype") and not _is_table(data)


def _of_table(name: str, table: Any) -> np.ndarray:
    """Return a table column by column, so that each may be of another type."""
    columns = [
        _of_column(f"{name}[{column!r}]", table.iloc[:, place] if hasattr(table, "iloc")
                   else table[column])
        for place, column in enumerate(table.columns)
    ]  # fmt: skip
    if not columns:
        return np.zeros((len(table), 0))
    if len(columns) > 1 and any([column.dtype.kind == "O" for column in columns]):
        place = [column.dtype.kind == "O" for column in columns].index(True)
        where = f"{name}[{table.columns[place]!r}]"
        raise DtypeError(
            f"{where} has to hold real numbers, not text{_example(where, columns[place])}; "
            "pandas.get_dummies makes columns of 0 and 1 of it"
        )
    return np.column_stack(columns)


def _of_column(name: str, column: Any) -> np.ndarray:
    """Return one column of a table: numbers, booleans, or objects that are all text."""
    missing = getattr(column, "isna", getattr(column, "is_null", None))
    kind = getattr(column.dtype, "kind", "O")
    # NumPy's whole numbers and booleans are never missing, pandas' own may be.
    if missing is not None and not (isinstance(column.dtype, np.dtype) and kind in "iub"):
        absent = np.asarray(missing(), dtype=bool)
        if absent.any():
            row = int(absent.argmax())
            raise ValueError(f"{name}[{row}] is missing: every value has to be there")
    array = np.asarray(column)
    if array.dtype.kind == "O" or kind not in "biuf":
        return _of_objects(name, array.astype(object))
    return array


def _of_objects(name: str, array: np.ndarray) -> np.ndarray:
    """Return objects as the numbers or the text that they are."""
    values = array.ravel().tolist()
    if all([isinstance(value, str) for value in values]) and values:
        return array
    if all([isinstance(value, (bool, np.bool_)) for value in values]):
        return array.astype(np.bool_)
    wrong = [place for place, value in enumerate(values) if not isinstance(value, _NUMBERS)]
    if wrong:
        # What is missing says more than text among numbers does.
        place = next((place for place in wrong if not isinstance(values[place], str)), wrong[0])
        value = values[place]
        if isinstance(value, (list, tuple, np.ndarray)):
            raise DtypeError(
                f"{name} holds objects that are no numbers, or rows of different lengths"
            )
        where = [int(index) for index in np.unravel_index(place, array.shape)]
        among = " among numbers" if isinstance(value, str) else ""
        raise DtypeError(
            f"{name} holds objects that are no numbers: {name}{where} is {value!r}{among}"
        )
    whole = all([isinstance(value, (int, np.integer)) for value in values])
    try:
        return array.astype(np.int64 if whole else np.float64)
    except OverflowError:
        return array.astype(np.float64)


def _example(name: str, array: np.ndarray) -> str:
    return f" ({name}{[0] * array.ndim} is {array.flat[0]!r})" if array.size else ""
