"""What is in a file, as text for people."""

import math
from collections.abc import Iterator
from typing import Any

from aino.dit import legacy, manifest
from aino.dit.manifest import Manifest
from aino.dit.reader import Reader, open_archive
from aino.dit.source import Source
from aino.dit.survey import survey

_WIDEST = 60  # characters of one value


def describe(path: Any) -> str:
    """Return a text with a file's architecture, contents, tensors, sizes and metadata.

    Reads the manifest alone: the classes need not be registered, the tensors are not checked.
    Raises `DitError` for what is not a ``.dit``.

    >>> import aino, tempfile, os
    >>> path = os.path.join(tempfile.mkdtemp(), "state.dit")
    >>> aino.save({"epoch": 3, "weight": aino.ones(2, 2)}, path, metadata={"run": "first"})
    >>> print(describe(path).replace(path, "state.dit"))  # doctest: +ELLIPSIS
    state.dit: a state in .dit version 3, written by AINO ..., ... bytes
    metadata
      run: first
    content
      epoch: 3
      weight: tensor weight
    tensors: 1, of 4 values in 16 bytes
      weight  float32  (2, 2)  16 bytes
    """
    with Source(path) as source:
        members = open_archive(source)
        if members[0].name != manifest.NAME:
            lines = _old_lines(source, legacy.read(source, members))
        else:
            contents = Reader(source, members).manifest
            survey(source, contents)
            lines = _lines(source, contents)
    return "\n".join(lines)


def _old_lines(source: Source, old: legacy.OldNetwork) -> list[str]:
    rows = [(key, array.dtype.name, array.shape, array.nbytes) for key, array in old.state.items()]
    return [
        f"{source.path}: a model in .dit version {old.version}, {source.size:,} bytes",
        "architecture",
        f"  NeuralNetwork(sizes={old.sizes}, activation_type={old.activation!r}, "
        f"output_activation={old.output_activation!r})",
        *table(rows),
    ]


def _lines(source: Source, contents: Manifest) -> list[str]:
    lines = [
        f"{source.path}: a {contents.kind} in .dit version {manifest.VERSION}, written by AINO "
        f"{safe(contents.aino)}, {source.size:,} bytes"
    ]
    if contents.metadata:
        lines.append("metadata")
        lines += [f"  {safe(key)}: {safe(text)}" for key, text in contents.metadata.items()]
    if contents.kind != "model":
        lines.append("content")
        lines += _value_lines(contents, contents.content, "")
    for number, item in enumerate(contents.architecture):
        lines.append("architecture" if contents.kind == "model" else f"model {number}")
        mode = "in training mode" if item["training"] else "in evaluation mode"
        first, *rest = _design_lines(contents, item["design"], "")
        lines += [f"{first}, {mode}", *rest]
    rows = [(row.name, row.dtype.name, row.shape, row.nbytes) for row in contents.tensors]
    return lines + table(rows)


def table(rows: list[tuple[str, str, tuple[int, ...], int]]) -> list[str]:
    """Tensors by name, dtype, shape and bytes, a line each, below how many there are."""
    values = sum(math.prod(shape) for _, _, shape, _ in rows)
    size = sum(nbytes for _, _, _, nbytes in rows)
    cells = [
        (safe(name), dtype, str(shape), f"{size:,} bytes") for name, dtype, shape, size in rows
    ]
    widths = [max(map(len, column)) for column in zip(*cells)]
    lines = [f"tensors: {len(rows)}, of {values:,} values in {size:,} bytes"]
    for row in cells:
        padded = [cell.ljust(width) for cell, width in zip(row, widths)]
        lines.append(f"  {'  '.join(padded)}".rstrip())
    return lines


def safe(text: str) -> str:
    """Text without what could move a terminal's cursor, and not longer than a line."""
    shown = "".join(mark if mark.isprintable() else "?" for mark in text[: _WIDEST + 1])
    return shown if len(shown) <= _WIDEST else f"{shown[:_WIDEST]}..."


def _value_lines(contents: Manifest, value: Any, indent: str) -> Iterator[str]:
    """A tree of containers, one line for each entry."""
    for key, part in _entries(value):
        inner = list(_value_lines(contents, part, f"{indent}  "))
        lead = f"  {indent}{safe(str(key))}:" if key is not None else f"  {indent}"
        yield f"{lead} {_shown(contents, part)}" if not inner else lead
        yield from inner


def _entries(value: Any) -> Iterator[tuple[Any, Any]]:
    if type(value) is list:
        yield from enumerate(value)
    elif type(value) is dict and not any(key[:1] == "$" for key in value):
        yield from value.items()
    elif type(value) is dict:
        ((tag, body),) = list(value.items())[:1]
        if tag == "$tuple":
            yield from enumerate(body)
        elif tag == "$dataclass":
            yield from body[1].items()
        elif tag in ("$dict", "$ordered", "$counter"):
            yield from ((pair[0] if type(pair[0]) is not dict else "...", pair[1]) for pair in body)


def _shown(contents: Manifest, value: Any) -> str:
    """A value that holds no others, in a few words."""
    if type(value) is not dict:
        return safe(repr(value))
    if not value:
        return "{}"
    tag, body = next(iter(value.items()))
    if type(body) is list and not body:
        return "()" if tag == "$tuple" else "{}"
    if tag in ("$tensor", "$array", "$scalar"):
        return f"{tag[1:]} {safe(contents.tensors[body].name)}"
    if tag == "$module" and type(body) is int:
        return f"model {body}"
    if tag == "$part":
        return f"{safe(body[1])} of model {body[0]}"
    if tag == "$module":
        return safe(body["class"])
    if tag == "$dataclass":
        fields = ", ".join(f"{key}={_shown(contents, part)}" for key, part in body[1].items())
        return safe(f"{body[0]}({fields})")
    return safe(str(body))


def _design_lines(
    contents: Manifest, design: dict[str, Any], name: str, depth: int = 1
) -> list[str]:
    """A module with its simple arguments, and below it those that are modules."""
    simple: list[str] = []
    inside: list[tuple[str, Any]] = []
    arguments = [("", part) for part in design.get("positional", [])]
    arguments += [*design["arguments"].items()]
    for key, value in arguments:
        label = f"{key}=" if key else ""
        found = list(_modules(value, key or str(len(inside))))
        inside += found
        if not found and value is not None:
            simple.append(f"{safe(label)}{_shown_argument(contents, value)}")
    inside += [pair for key, value in design.get("changes", {}).items()
               for pair in _modules(value, key)]  # fmt: skip
    changed = [key for key in design.get("changes", {}) if key not in dict(inside)]
    line = f"{'  ' * depth}{f'{safe(name)}: ' if name else ''}{safe(design['class'])}"
    line += f"({', '.join(simple)})"
    if changed:
        line += f", changed: {safe(', '.join(changed))}"
    lines = [line]
    for key, part in inside:
        lines += _design_lines(contents, part, key, depth + 1)
    return lines


def _shown_argument(contents: Manifest, value: Any) -> str:
    if type(value) is dict and "$tuple" in value:
        return safe(str(tuple(value["$tuple"])))
    return _shown(contents, value)


def _modules(value: Any, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The descriptions of modules inside an argument."""
    if type(value) is dict and type(value.get("$module")) is dict:
        yield name, value["$module"]
        return
    for key, part in _entries(value):
        yield from _modules(part, str(key))
