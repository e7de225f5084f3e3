"""AINO's docstrings as reStructuredText.

They are plain text with four forms: ``code`` in double backticks, formulas on lines that stand
further in, a list under "Arguments:", and doctests. Everything else is taken as it stands, so that
a formula such as ``|x| * y_`` is never read as markup.
"""

import re

ARGUMENT = re.compile(r"^(\*{0,2}[\w.]+(?:, \*{0,2}[\w.]+)*): (.*)$")
HEADINGS = re.compile(r"^(Arguments|Attributes|Yields|Returns):$")


def escaped(text):
    """Return text in which nothing but what stands in double backticks is markup."""
    parts = re.split(r"(``.+?``)", text, flags=re.DOTALL)
    for place in range(0, len(parts), 2):
        parts[place] = re.sub(r"([\\*|`])", r"\\\1", parts[place])
        parts[place] = re.sub(r"(?<=\w)_(?!\w)", r"\\_", parts[place])
    # Code may touch what follows it, as in ``x``'s.
    for place in range(1, len(parts), 2):
        if parts[place + 1][:1].isalnum() or parts[place + 1][:1] == "\\":
            parts[place + 1] = "\\ " + parts[place + 1]
        if parts[place - 1][-1:].isalnum():
            parts[place - 1] += "\\ "
    return "".join(parts)


def stretches(lines):
    """Yield paragraphs: the lines between two empty ones."""
    paragraph = []
    for line in [*lines, ""]:
        if line.strip():
            paragraph.append(line)
        elif paragraph:
            yield paragraph
            paragraph = []


def indent_of(line):
    return len(line) - len(line.lstrip())


def arguments(lines):
    """Return a list under "Arguments:" as fields."""
    margin = indent_of(lines[0])
    items: list[list[str]] = []
    for line in lines:
        head = ARGUMENT.match(line[margin:])
        if head and indent_of(line) == margin:
            items.append([head[1], head[2]])
        elif items:
            items[-1].append(line.strip())
        else:
            items.append(["", line.strip()])
    found = []
    for names, *said in items:
        bold = ", ".join(f"**{escaped(name)}**" for name in names.split(", ") if name)
        text = escaped("\n".join(said)).splitlines()
        found += [f"* {bold}: {text[0]}" if bold else f"* {text[0]}"]
        found += ["  " + line for line in text[1:]]
    return found


def literal(lines):
    return ["::", "", *("    " + line for line in lines)]


def restructured(lines):
    """Return a docstring in reStructuredText."""
    done = []
    for paragraph in stretches(lines):
        first = paragraph[0]
        if first.lstrip().startswith(">>>"):
            margin = indent_of(first)
            done += [line[margin:] for line in paragraph]
        elif HEADINGS.match(first) and len(paragraph) > 1 and indent_of(paragraph[1]):
            done += [f"**{first.rstrip(':')}**", "", *arguments(paragraph[1:])]
        elif indent_of(first):
            done += literal(paragraph)
        else:
            text = [line for line in paragraph if not indent_of(line)]
            if len(text) == len(paragraph):
                done += escaped("\n".join(paragraph)).splitlines()
            else:  # a table or a formula whose lines do not begin alike
                done += literal(paragraph)
        done.append("")
    return done


def process(app, what, name, obj, options, lines):
    lines[:] = restructured(lines)


def setup(app):
    app.connect("autodoc-process-docstring", process)
    return {"parallel_read_safe": True}
