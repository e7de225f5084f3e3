"""Reads what was drawn back from its DOT text, so that tests speak of labels, not of syntax."""

import html
import re
from dataclasses import dataclass, field


@dataclass
class Read:
    """``labels``: id -> lines of text; ``looks``: id -> attributes as written; ``boxes``: id ->
    titles of the clusters around it; ``edges``: (tail's title, head's title, attributes)."""

    labels: dict = field(default_factory=dict)
    looks: dict = field(default_factory=dict)
    boxes: dict = field(default_factory=dict)
    edges: list = field(default_factory=list)
    clusters: list = field(default_factory=list)

    def titles(self):
        return [lines[0] for lines in self.labels.values()]

    def vertex(self, title):
        """Return the lines of the one vertex with this title."""
        (found,) = [lines for lines in self.labels.values() if lines[0] == title]
        return found

    def identity(self, title):
        (found,) = [name for name, lines in self.labels.items() if lines[0] == title]
        return found

    def look(self, title):
        return self.looks[self.identity(title)]

    def around(self, title):
        return self.boxes[self.identity(title)]

    def pairs(self):
        return sorted((tail, head) for tail, head, _ in self.edges)


def lines_of(label):
    """Return the lines of an HTML label as plain text."""
    text = re.sub(r"<BR[^>]*/>|</TR>", "\n", label)
    text = html.unescape(re.sub(r"<[^>]*>", "", text)).replace("\xa0", " ")
    return [line.strip() for line in text.split("\n") if line.strip()] or [""]


def read(drawing):
    found = Read()
    open_clusters = []
    for line in drawing.source.splitlines()[1:]:
        line = line.strip()
        if line.startswith("subgraph"):
            open_clusters.append(None)
        elif line == "}":
            if open_clusters:
                open_clusters.pop()
        elif line.startswith("graph [") and open_clusters:
            # The outermost box has its title in two lines.
            title = ", ".join(lines_of(re.search(r"label=<(.*?)>, labeljust", line)[1]))
            open_clusters[-1] = title
            found.clusters.append(title)
        elif match := re.match(r"(\w+) -> (\w+)(.*)", line):
            tail, head = (found.labels[name][0] for name in match.group(1, 2))
            found.edges.append((tail, head, match[3]))
        elif match := re.match(r"(\w+) \[label=<(.*)>, shape=(.*)\]$", line):
            found.labels[match[1]] = lines_of(match[2])
            found.looks[match[1]] = match[3]
            found.boxes[match[1]] = list(open_clusters)
    return found
