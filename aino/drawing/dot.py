"""Writes a graph in Graphviz's language, DOT."""

from __future__ import annotations

import html
import math
import re
import textwrap
from typing import Any

from aino.drawing import style
from aino.drawing.graph import Box, Edge, Graph, Value, Vertex, counted
from aino.drawing.numbers import length, number_lines, shape_text, shorten

#: The longest line of a label.
_WIDEST = 44


def quoted(text: str) -> str:
    """Return text as a DOT string.

    >>> print(quoted('a "b"'))
    "a \\"b\\""
    """
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def attributes(**values: str) -> str:
    """Return attributes as DOT writes them; labels in ``<...>`` are HTML."""
    written = [
        f"{name}={value if name == 'label' and value.startswith('<') else quoted(value)}"
        for name, value in values.items()
    ]
    return f" [{', '.join(written)}]" if written else ""


def escaped(text: str) -> str:
    """Return text for an HTML label: what can't be printed is replaced."""
    printable = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return html.escape(printable)


def text_line(text: str, tag: str = "", color: str = "") -> str:
    """Return one line of an HTML label, shortened, in bold (``B``) or italics (``I``)."""
    text = escaped(shorten(text, _WIDEST))
    if tag:
        text = f"<{tag}>{text}</{tag}>"
    return f'<FONT COLOR="{color}">{text}</FONT>' if color else text


def opening(rankdir: str) -> list[str]:
    """Return the first lines of a drawing: what holds for all of it."""
    font = {"fontname": style.FONT}
    return [
        "digraph aino {",
        "  graph" + attributes(
            rankdir=rankdir, bgcolor="transparent", pad="0.1", nodesep="0.22", ranksep="0.34",
            **font, fontsize="11", fontcolor=style.GREY,
        ),
        "  node" + attributes(**font, fontsize="11", fontcolor=style.INK, margin="0.1,0.05",
                              height="0.1", width="0.1"),
        "  edge" + attributes(color=style.GREY, fontcolor=style.GREY, **font, fontsize="9",
                              arrowsize="0.65"),
    ]  # fmt: skip


def write(graph: Graph, rankdir: str, numbers: int, slopes: bool = False) -> str:
    """Return the drawing's text; arrays of up to ``numbers`` elements show them.

    ``slopes``: local derivatives are shown in numbers, too.
    """
    scale = gradient_scale(graph)
    names = {vertex: _identity(vertex, i) for i, vertex in enumerate(graph.vertices)}
    lines = opening(rankdir)
    if any(vertex.box for vertex in graph.vertices):
        inputs = [names[vertex] for vertex in graph.vertices if vertex.kind == "input"]
        lines += [f"  {{ rank=source; {'; '.join(inputs)} }}"] if inputs else []
    lines += _contents(graph, None, names, numbers, "  ", [0])
    beside = any(edge.kind == "turn" for edge in graph.edges)
    fed_inside = {edge.head for edge in graph.edges if edge.tail.box is edge.head.box}
    for edge in graph.edges:
        options = _edge_options(edge, numbers, slopes, scale)
        if edge.tail.box is not edge.head.box and edge.head in fed_inside:
            # A box below the one before: what feeds it inside stands a step lower than its input.
            options |= {"minlen": "2", "weight": "3"}
        ends = names[edge.tail], names[edge.head]
        if edge.kind == "backward" and beside:  # so that both graphs go down the page
            ends = ends[::-1]
            options["dir"] = "back"
        written = attributes(**{name: text for name, text in options.items() if text})
        lines.append(f"  {ends[0]} -> {ends[1]}{written}")
    return "\n".join([*lines, "}", ""])


def _edge_options(edge: Edge, numbers: int, slopes: bool, scale: Any) -> dict[str, str]:
    """Return the look of an edge: its letters or its derivative, and how much comes back on it."""
    options = {"label": edge.label and f" {shorten(edge.label, 20)} "}
    options["style"] = {"constant": "dashed", "unseen": "invis"}.get(edge.kind, "")
    lines = derivative_lines(edge, numbers, slopes)
    if lines:
        lines = [text_line(f" {line} ", color=style.GRADIENT_PALE) for line in lines]
        options["label"] = f"<{'<BR/>'.join(lines)}>"
    if edge.kind == "turn":
        options |= {"constraint": "false", "style": "dashed", "color": style.GRADIENT_PALE}
    if edge.kind == "backward":
        options |= {"color": style.GRADIENT_PALE, "style": ""}
    if edge.kind == "gradient" and (share := scale(edge)) is not None:
        options["color"] = style.ramp(share)
        options["penwidth"] = f"{0.8 + 1.9 * share:.2f}"
    return options


def derivative_lines(edge: Edge, numbers: int, slopes: bool) -> list[str]:
    """Return what is written at an edge: the local derivative, and its numbers."""
    lines = []
    if edge.derivative:
        lines = [f"∂ = {edge.derivative}"]
        if re.search(r"(?<!\w)g(ᵀ|(?!\w))", edge.derivative):
            lines = [f"g ↦ {edge.derivative}"]
    if slopes and edge.slope is not None and 0 < edge.slope.size <= numbers:
        texts = number_lines(edge.slope)
        if lines and len(texts) == 1:
            lines = [lines[0] if lines[0] == f"∂ = {texts[0]}" else f"{lines[0]} = {texts[0]}"]
        else:
            lines += texts if lines else [f"∂ = {texts[0]}", *texts[1:]]
    return lines


def gradient_scale(graph: Graph) -> Any:
    """Return a function that tells how large what comes back on an edge is among all, 0 to 1.

    On a logarithmic scale over at most six powers of ten; None where there is no gradient.
    """
    norms = {
        vertex: length(vertex.values[0].grad)
        for vertex in graph.vertices
        if len(vertex.values) == 1 and vertex.values[0].grad is not None
    }
    lengths = [*norms.values(), *(edge.back for edge in graph.edges if edge.back is not None)]
    seen = [math.log10(norm) for norm in lengths if 0 < norm < math.inf]
    top = max(seen, default=0.0)
    low = max(min(seen, default=0.0), top - 6.0)

    def share(edge: Edge) -> float | None:
        norm = norms.get(edge.tail) if edge.back is None else edge.back
        if norm is None or math.isnan(norm):
            return None
        if norm == 0 or norm == math.inf:
            return 0.0 if norm == 0 else 1.0
        place = (math.log10(norm) - low) / (top - low) if top - low > 0.05 else 0.6
        return min(max(place, 0.0), 1.0)

    return share


def _identity(vertex: Vertex, number: int) -> str:
    """Return what a vertex is called in the text: ``mul_3``."""
    return re.sub(r"[^a-zA-Z]+", "_", vertex.title).strip("_")[:30] + f"_{number}"


def _contents(
    graph: Graph, box: Box | None, names: dict[Vertex, str], numbers: int, indent: str, count: list
) -> list[str]:
    """Return the lines of what a box holds: vertices, and boxes where their first vertex is."""
    lines = []
    inside: set[Box] = set()
    level = 0 if box is None else box.depth + 1
    for vertex in graph.vertices:
        chain = [] if vertex.box is None else vertex.box.chain()
        if (chain[level - 1] if 0 < level <= len(chain) else None) is not box:
            continue
        if len(chain) == level:
            lines.append(f"{indent}{names[vertex]}{vertex_attributes(vertex, numbers)}")
        elif chain[level] not in inside:
            inside.add(chain[level])
            number, count[0] = count[0], count[0] + 1
            lines.append(f"{indent}subgraph cluster_{number} {{")
            lines.append(f"{indent}  graph{_box_attributes(chain[level])}")
            lines += _contents(graph, chain[level], names, numbers, indent + "  ", count)
            lines.append(f"{indent}}}")
    return lines


def _box_attributes(box: Box) -> str:
    parts = [text_line(box.name, "B")] if box.name else []
    parts.append(text_line(box.kind))
    title = "  ".join(parts)
    if box.parameters:
        # The input's arrow enters the outermost box from above: its title keeps to the side.
        apart = ", " if box.parent else '<BR ALIGN="LEFT"/>'
        title += apart + text_line(counted(box.parameters, "parameter"))
    if "<BR" in title:
        title += '<BR ALIGN="LEFT"/>'
    failed = box.mark == "failed"
    return attributes(
        label=f"<{title}>", labeljust="l", style="rounded,filled",
        fillcolor=style.FAILED_FILL if failed else style.BOX_FILL,
        color=style.FAILED if failed else style.BOX_LINE, margin="10",
    )  # fmt: skip


def vertex_attributes(vertex: Vertex, numbers: int) -> str:
    """Return the look of one vertex."""
    look = dict(style.VERTEX[vertex.kind])
    if vertex.mark == "passed":
        look |= style.PASSED
    elif vertex.mark:
        look |= {"color": style.FAILED, "penwidth": "2"}
    if vertex.output:
        look |= style.OUTPUT
        if vertex.kind == "module":
            look |= {"peripheries": "1", "penwidth": "2", "fillcolor": style.OUTPUT_HEADER}
    is_card = vertex.kind in style.HEADER and vertex.mark != "passed"
    label = (_card if is_card else _plain)(vertex, numbers)
    return attributes(label=f"<{label}>", **look)


def _plain(vertex: Vertex, numbers: int) -> str:
    lines = [text_line(vertex.title, "B")] if vertex.title else []
    if vertex.formula:
        lines.append(text_line(vertex.formula, "I"))
    if vertex.kind == "more":
        lines = [text_line(f"… {vertex.title}", "I", style.GREY)]
    lines += [text_line(text, color=style.PALE_INK) for text in _wrapped(vertex.details)]
    if vertex.mark in style.MARKS:
        lines.append(text_line(style.MARKS[vertex.mark], color=style.PALE_INK))
    for value in vertex.values:
        lines += value_lines(value, numbers)
    return "<BR/>".join(lines)


def _card(vertex: Vertex, numbers: int) -> str:
    """Return a table: the operation or module above, what it computed below."""
    title = text_line(vertex.title, "B")
    formula = vertex.spoken or vertex.formula
    if formula:
        lines = _in_lines(formula)
        apart = "<BR/>" if len(vertex.title) + len(lines[0]) > 32 else "&#160;&#160;"
        title += apart + "<BR/>".join(text_line(line, "I", style.PALE_INK) for line in lines)
    head = [title, *(text_line(text, color=style.PALE_INK) for text in _wrapped(vertex.details))]
    if vertex.mark in style.MARKS:
        head.append(text_line(style.MARKS[vertex.mark], "B", style.FAILED))
    if vertex.line and vertex.mark:
        head.append(text_line(vertex.line, color=style.PALE_INK))
    if vertex.kind == "gradient":
        formula = vertex.spoken or vertex.title
        lines = _in_lines(formula)
        head = [text_line(lines[0], "B" if len(lines) == 1 else "")] + [
            text_line(line, "I", style.PALE_INK) for line in lines[1:]
        ]
    told = vertex.spoken.startswith(f"{vertex.name} = ")
    body = [text_line(vertex.name, "B")] if vertex.name and not told else []
    for value in vertex.values:
        body += value_lines(value, numbers)
    color = style.OUTPUT_HEADER if vertex.output else style.HEADER[vertex.kind]
    rows = [f'<TR><TD BGCOLOR="{color}">{"<BR/>".join(head)}</TD></TR>']
    if body:
        rows.append(f'<TR><TD BGCOLOR="{style.PAPER}">{"<BR/>".join(body)}</TD></TR>')
    table = '<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="4">'
    return f"{table}{''.join(rows)}</TABLE>"


def _in_lines(formula: str) -> list[str]:
    """Return a formula in at most three lines."""
    return textwrap.wrap(formula, _WIDEST - 4, max_lines=3, placeholder=" …") or [""]


def _wrapped(texts: list[str]) -> list[str]:
    """Return texts in lines that are not too long, four at most."""
    return [line for text in texts for line in textwrap.wrap(text, _WIDEST, max_lines=4)]


def value_lines(value: Value, numbers: int) -> list[str]:
    """Return shape and dtype, the numbers where they are few, else their norm; the gradient."""
    shape = text_line(shape_text(value.shape, value.dtype), color=style.PALE_INK)
    lines = [shape]
    if value.array is not None and 0 < value.array.size <= numbers:
        lines += [text_line(text) for text in number_lines(value.array)]
    elif value.array is not None and value.array.dtype.kind in "fc" and value.array.size:
        lines = [shape + text_line(f", norm {length(value.array):.4g}")]
    if value.grad is not None:
        if 0 < value.grad.size <= numbers:
            first, *rest = number_lines(value.grad)
            texts = [f"grad {first}", *rest]
        else:
            texts = [f"‖grad‖ = {length(value.grad):.3g}"]
        lines += [text_line(text, color=style.GRADIENT) for text in texts]
    return lines
