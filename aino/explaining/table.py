"""The table of ``aino.summary``, as text and as HTML."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from aino.explaining.html import page
from aino.explaining.measuring import Measured
from aino.explaining.style import STYLE
from aino.nn.base.module import Module
from aino.nn.base.uninitialized import is_lazy


@dataclass(slots=True, eq=False)
class Row:
    """One module of the table.

    ``path``: its dotted name, empty for the model itself. ``parameters``: how many numbers it and
    the modules inside have to learn, or had. ``trainable``: ``"yes"``, ``"no"``, ``"partly"``, or
    ``""`` without parameters. ``shared``: the path under which the same module was counted before.
    ``measured``: what it did when it was run, None where it was not.
    """

    path: str
    kind: str
    depth: int
    parameters: int
    trainable: str
    dtype: str
    kernel: tuple[int, ...] | None
    shared: str
    measured: Measured | None
    last: tuple[bool, ...] = ()

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.path.rpartition(".")[2]


class Summary:
    """A model as a table; ``print`` shows it, notebooks do by themselves.

    ``rows``: the modules, in the order in which they are defined. ``total_parameters``,
    ``trainable_parameters``: each parameter counted once. ``parameter_bytes``, ``buffer_bytes``:
    what they take. ``total_multiply_adds``, ``forward_bytes``, ``backward_bytes``: of one forward
    pass; None where the model was not run.
    """

    def __init__(self, model: Module, rows: list[Row], depth: int, columns: list[str]) -> None:
        self.rows = rows
        self.depth = depth
        self.columns = columns
        parameters = list(model.parameters())
        #: Whether there are parameters whose shapes the first call will tell.
        self.lazy = any([is_lazy(p) for p in parameters])
        self.total_parameters = sum([p.array.size for p in parameters])
        self.trainable_parameters = sum([p.array.size for p in parameters if p.requires_grad])
        self.parameter_bytes = sum([p.array.nbytes for p in parameters])
        self.buffer_bytes = sum([b.array.nbytes for b in model.buffers()])
        whole = rows[0].measured
        self.total_multiply_adds = None if whole is None else whole.multiply_adds
        self.forward_bytes = None if whole is None else whole.forward
        self.backward_bytes = None if whole is None else whole.backward

    def __str__(self) -> str:
        return write_text(self)

    def __repr__(self) -> str:
        return str(self)

    def html(self) -> str:
        """Return it as a page of HTML that stands by itself, readable in light and dark."""
        return write_page(self)

    def _repr_html_(self) -> str:
        return write_html(self)


def shape_text(shape: Any) -> str:
    """Return shapes as they are nested: ``(8, 3)``, ``[(8, 3), (1, 8, 3)]``."""
    if shape is None:
        return "-"
    if isinstance(shape, tuple):
        return str(shape)
    if isinstance(shape, dict):
        return "{" + ", ".join([f"{key}: {shape_text(x)}" for key, x in shape.items()]) + "}"
    return "[" + ", ".join([shape_text(x) for x in shape]) + "]" if shape else "-"


def size_text(size: int) -> str:
    """Return a number of bytes.

    >>> size_text(0), size_text(900), size_text(1536), size_text(3_500_000)
    ('-', '900 B', '1.5 KiB', '3.3 MiB')
    """
    if size < 1024:
        return f"{size} B" if size else "-"
    value, units = float(size), ["B", "KiB", "MiB", "GiB", "TiB"]
    while value >= 1024 and len(units) > 1:
        value, units = value / 1024, units[1:]
    return f"{value:.1f} {units[0]}"


def count_text(count: int) -> str:
    return f"{count:,}" if count else "-"


def _ran(say: Callable[[Any], str], otherwise: str = "-") -> Callable[[Row, Summary], str]:
    """Return what a column says of a module that ran, and of others."""

    def said(row: Row, summary: Summary) -> str:
        if row.measured is None or row.shared or row.kind in _HOLDERS:
            return "-"
        return say(row.measured) if row.measured.calls else otherwise

    return said


#: Modules that hold others and are never called.
_HOLDERS = ("ModuleList", "ModuleDict", "ParameterList", "ParameterDict")


#: Name -> the head of the column, and what it says of a row.
COLUMNS: dict[str, tuple[str, Callable[[Row, Summary], str]]] = {
    "input_size": ("input", _ran(lambda m: shape_text(m.inputs))),
    "output_size": ("output", _ran(lambda m: shape_text(m.output), "not run")),
    "num_params": (
        "parameters",
        lambda row, _: f"(as {row.shared})" if row.shared else count_text(row.parameters),
    ),
    "params_percent": (
        "share",
        lambda row, summary: (
            "-"
            if row.shared or not row.parameters
            else f"{100 * row.parameters / summary.total_parameters:.1f} %"
        ),
    ),
    "kernel_size": ("kernel", lambda row, _: "-" if row.kernel is None else str(row.kernel)),
    "mult_adds": ("multiply-adds", _ran(lambda m: count_text(m.multiply_adds))),
    "forward_memory": ("forward", _ran(lambda m: size_text(m.forward))),
    "backward_memory": ("backward", _ran(lambda m: size_text(m.backward))),
    "trainable": ("trainable", lambda row, _: row.trainable or "-"),
    "dtype": ("dtype", lambda row, _: row.dtype or "-"),
    "calls": ("calls", _ran(lambda m: str(m.calls))),
}
_USUAL = ("output_size", "num_params", "mult_adds", "forward_memory", "backward_memory",
          "trainable")  # fmt: skip
_LEFT = ("input", "output", "dtype", "trainable", "kernel")


def chosen(names: Sequence[str] | None, runs: bool) -> list[str]:
    """Return the names of the columns, or raise for one that there is not."""
    if names is None:
        return [name for name in _USUAL if runs or name in ("num_params", "trainable")]
    if isinstance(names, str):
        raise TypeError("col_names is a list of names of columns, not one string")
    for name in names:
        if name not in COLUMNS:
            raise ValueError(f"there is no column {name!r}; there are {', '.join(COLUMNS)}")
    return list(names)


def _cells(summary: Summary) -> tuple[list[str], list[list[str]]]:
    heads = ["module", *[COLUMNS[name][0] for name in summary.columns]]
    rows = []
    for row in summary.rows:
        if row.depth <= summary.depth:
            said = [COLUMNS[name][1](row, summary) for name in summary.columns]
            rows.append([_branch(row) + _title(row), *said])
    return heads, rows


def _branch(row: Row) -> str:
    if not row.last:
        return ""
    before = "".join(["   " if last else "│  " for last in row.last[:-1]])
    return before + ("└─ " if row.last[-1] else "├─ ")


def _title(row: Row) -> str:
    times = f" × {row.measured.calls}" if row.measured and row.measured.calls > 1 else ""
    return f"{row.name}: {row.kind}{times}" if row.path else f"{row.kind}{times}"


def totals(summary: Summary) -> list[tuple[str, str]]:
    """Return what stands under the table."""
    frozen = summary.total_parameters - summary.trainable_parameters
    more = ", and those of lazy modules, which an input tells" if summary.lazy else ""
    found = [
        ("parameters", f"{summary.total_parameters:,}{more}"),
        ("trainable, frozen", f"{summary.trainable_parameters:,}, {frozen:,}"),
    ]
    if summary.total_multiply_adds is not None:
        found.append(("multiply-adds", f"{summary.total_multiply_adds:,}"))
    found.append(("memory of parameters", size_text(summary.parameter_bytes)))
    if summary.buffer_bytes:
        found.append(("memory of buffers", size_text(summary.buffer_bytes)))
    if summary.forward_bytes is not None and summary.backward_bytes is not None:
        found.append(("memory of results (forward)", size_text(summary.forward_bytes)))
        found.append(("kept for backward", size_text(summary.backward_bytes)))
    return found


def write_text(summary: Summary) -> str:
    heads, rows = _cells(summary)
    widths = [max(len(row[i]) for row in [heads, *rows]) for i in range(len(heads))]

    def line(cells: list[str]) -> str:
        padded = [
            cell.ljust(width) if i == 0 or heads[i] in _LEFT else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(cells, widths))
        ]
        return "  ".join(padded).rstrip()

    rule = "─" * (sum(widths) + 2 * (len(widths) - 1))
    under = totals(summary)
    width = max(len(name) for name, _ in under)
    ends = [f"{name.ljust(width)}  {value}" for name, value in under]
    return "\n".join([line(heads), rule, *[line(row) for row in rows], rule, *ends])


def write_html(summary: Summary) -> str:
    """Return the table as one ``div`` with its style."""
    heads, rows = _cells(summary)

    def cells(values: list[str], tag: str) -> str:
        return "".join([
            f'<{tag}{"" if i == 0 or heads[i] in _LEFT else " class=aino-number"}'
            f'{" scope=col" if tag == "th" else ""}>{escape(value)}</{tag}>'
            for i, value in enumerate(values)
        ])  # fmt: skip

    shown = [row for row in summary.rows if row.depth <= summary.depth]
    body = "".join([
        f'<tr><td style="padding-left:{0.6 + 1.3 * row.depth}em">{_module(row)}</td>'
        f"{cells(values, 'td').split('</td>', 1)[1]}</tr>"
        for row, values in zip(shown, rows)
    ])  # fmt: skip
    under = "".join([f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in totals(summary)])
    return (
        f'<style>{STYLE}{_OWN}</style><div class="aino-page aino-summary"><div class="aino-scroll">'
        f"<table><thead><tr>{cells(heads, 'th')}</tr></thead><tbody>{body}</tbody></table></div>"
        f"<dl>{under}</dl></div>"
    )


def _module(row: Row) -> str:
    times = f" × {row.measured.calls}" if row.measured and row.measured.calls > 1 else ""
    name = f"<b>{escape(row.name)}</b> " if row.path else ""
    return f'{name}<span class="aino-kind">{escape(row.kind)}{times}</span>'


def write_page(summary: Summary) -> str:
    return page(write_html(summary), f"Summary of {summary.rows[0].kind}")


_OWN = (
    ".aino-summary{max-width:none}.aino-scroll{overflow-x:auto}"
    ".aino-summary table{border-collapse:collapse;font-size:.95em;background:none;color:inherit}"
    ".aino-summary th{text-align:left;font-weight:600;color:var(--aino-pale);"
    "border-bottom:2px solid var(--aino-line);padding:.3em .8em;background:none}"
    ".aino-summary td{padding:.22em .8em;border-bottom:1px solid var(--aino-line);"
    "white-space:nowrap;text-align:left;background:none;color:inherit;"
    "font-variant-numeric:tabular-nums}"
    ".aino-summary .aino-number{text-align:right}"
    ".aino-summary tbody tr:hover{background:var(--aino-fill)}"
    ".aino-kind{color:var(--aino-pale)}"
    ".aino-summary dl{display:grid;grid-template-columns:max-content auto;gap:.15em 1.2em;"
    "margin:.9em 0 0}.aino-summary dt{color:var(--aino-pale)}.aino-summary dd{margin:0}"
)
