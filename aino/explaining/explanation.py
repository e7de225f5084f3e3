"""What ``aino.explain`` returns: a worked exercise that writes itself in several forms."""

from __future__ import annotations

import os
from functools import cached_property
from typing import Any

from aino.explaining import html, latex, text
from aino.explaining.exercise import Answer, Exercise, Operation, Step
from aino.explaining.telling import Item, tell


class Explanation:
    """A backward pass, worked out step by step; ``print`` shows it, notebooks do by themselves.

    ``forward``: the operations, in the order in which they were computed. ``steps``: those of the
    backward pass. ``answers``: the gradients that it leads to.
    """

    def __init__(self, exercise: Exercise) -> None:
        self.exercise = exercise

    @property
    def forward(self) -> list[Operation]:
        return self.exercise.forward

    @property
    def steps(self) -> list[Step]:
        return self.exercise.steps

    @property
    def answers(self) -> list[Answer]:
        return self.exercise.answers

    @cached_property
    def _items(self) -> list[Item]:
        return tell(self.exercise)

    def __str__(self) -> str:
        return text.write(self._items)

    def __repr__(self) -> str:
        return str(self)

    def markdown(self) -> str:
        """Return it as Markdown, with formulas in LaTeX between dollars."""
        return latex.write_markdown(self._items)

    def latex(self) -> str:
        r"""Return it as a piece of a LaTeX document, which needs ``\\usepackage{amsmath}``."""
        return latex.write_latex(self._items)

    def html(self) -> str:
        """Return it as a page of HTML that stands by itself, readable in light and dark."""
        title = f"The backward pass of {self.exercise.output.name}"
        return html.page(self._repr_html_(), title)

    def save(self, path: Any) -> None:
        """Write it into a file, in the form that the ending names: .txt, .md, .tex or .html."""
        ending = os.path.splitext(os.fspath(path))[1].lower()
        writers = {".txt": self.__str__, ".md": self.markdown, ".tex": self.latex,
                   ".html": self.html}  # fmt: skip
        if ending not in writers:
            raise ValueError(f"the name should end in {', '.join(writers)}, got {str(path)!r}")
        with open(path, "w", encoding="utf-8") as file:
            file.write(writers[ending]())

    def _repr_html_(self) -> str:
        return html.write(self._items, self.exercise.modules)

    def _repr_markdown_(self) -> str:
        return self.markdown()
