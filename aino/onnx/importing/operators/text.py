"""Text: arrays of Python's strings, joined, cut, looked up and counted."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from aino.errors import OnnxError
from aino.onnx.importing.table import Plain, Value, operator


def _each(function: Any, array: np.ndarray, dtype: Any = object) -> np.ndarray:
    """Return a function of all elements of an array, whatever its shape."""
    result = np.empty(array.shape, dtype)
    for place in np.ndindex(array.shape):
        result[place] = function(array[place])
    return result


@operator("StringConcat")
def string_concat(X: Value, Y: Value) -> np.ndarray:
    return np.asarray(np.asarray(X, object) + np.asarray(Y, object), object)


@operator("StringSplit")
def string_split(
    X: Value, *, delimiter: str | None = None, maxsplit: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    parts = _each(lambda text: text.split(delimiter or None, -1 if maxsplit is None else maxsplit),
                  np.asarray(X, object))  # fmt: skip
    counts = _each(len, parts, np.int64)
    width = int(counts.max(initial=0))
    rows = [[*row, *[""] * (width - len(row))] for row in parts.reshape(-1)]
    return np.array(rows, object).reshape(*parts.shape, width), counts


@operator("RegexFullMatch")
def regex_full_match(X: Value, *, pattern: str) -> np.ndarray:
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise OnnxError(f"{pattern!r} is no pattern: {error}") from None
    return _each(lambda text: compiled.fullmatch(text) is not None, np.asarray(X, object), bool)


@operator("StringNormalizer")
def string_normalizer(
    X: Value,
    *,
    case_change_action: str,
    is_case_sensitive: int,
    locale: str | None = None,
    stopwords: list[str] | None = None,
) -> np.ndarray:
    change = {"LOWER": str.lower, "UPPER": str.upper}.get(case_change_action, str)
    plain = str if is_case_sensitive else str.lower
    stops = {plain(word) for word in stopwords or ()}
    if X.ndim > 2 or (X.ndim == 2 and X.shape[0] != 1):
        raise OnnxError(f"expected one row of words, not {X.shape}")
    words = [change(word) for word in X.reshape(-1) if plain(word) not in stops] or [""]
    return np.array(words, object).reshape((-1,) if X.ndim == 1 else (1, -1))


@operator("TfIdfVectorizer")
def tf_idf_vectorizer(
    X: Plain,
    *,
    max_gram_length: int,
    max_skip_count: int,
    min_gram_length: int,
    mode: str,
    ngram_counts: list[int],
    ngram_indexes: list[int],
    pool_int64s: list[int] | None = None,
    pool_strings: list[str] | None = None,
    weights: list[float] | None = None,
) -> np.ndarray:
    pool: list[Any] = list(pool_int64s or pool_strings or ())
    known: dict[tuple, int] = {}
    for length, start in enumerate(ngram_counts, 1):
        end = ngram_counts[length] if length < len(ngram_counts) else len(pool)
        for place in range(start, end, length):
            known[tuple(pool[place : place + length])] = len(known)
    rows = X.reshape(1, -1) if X.ndim == 1 else X
    counts = np.zeros((len(rows), max(ngram_indexes) + 1), np.float32)
    for row, words in zip(counts, rows.tolist()):
        for length in range(min_gram_length, max_gram_length + 1):
            # One word alone is not skipped within.
            for step in range(1, 1 if length == 1 else max_skip_count + 2) or (1,):
                for start in range(len(words) - (length - 1) * step):
                    gram = known.get(tuple(words[start : start + length * step : step][:length]))
                    if gram is not None:
                        row[ngram_indexes[gram]] += 1
    factors = np.array(weights or [1.0] * counts.shape[1], np.float32)
    if weights:
        factors = np.zeros(counts.shape[1], np.float32)
        factors[: len(weights)] = weights[: counts.shape[1]]
    y = {"TF": counts, "IDF": (counts > 0) * factors, "TFIDF": counts * factors}[mode]
    return y.astype(np.float32).reshape(-1) if X.ndim == 1 else y.astype(np.float32)
