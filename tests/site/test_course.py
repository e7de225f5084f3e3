"""The course as text: chapters are listed, compile, and have exercises with solutions."""

import re
from pathlib import Path

import pytest

COURSE = Path(__file__).resolve().parents[2] / "docs" / "course"
CHAPTERS = sorted(COURSE.glob("[0-9]-*.md"))
FOLDED = re.compile(r"<details><summary>Solution</summary>\n\n(.+?)\n\n</details>", re.DOTALL)


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter(chapter):
    text = chapter.read_text(encoding="utf-8")
    cells = re.findall(r"```\{code-cell\} python\n(.*?)```", text, re.DOTALL)
    for cell in cells:
        compile(cell, chapter.name, "exec")
    assert text.count("```") == 2 * len(cells)
    assert text.startswith("---\njupytext:")
    exercises = text.partition("## Exercises")[2]
    numbers = re.findall(r"^\*\*(\d)\.\*\*", exercises, re.MULTILINE)
    assert numbers == [str(n + 1) for n in range(len(numbers))] != []
    assert len(FOLDED.findall(exercises)) == len(numbers) == text.count("<details>")


def test_the_list_has_every_chapter():
    text = (COURSE / "index.md").read_text(encoding="utf-8")
    assert re.findall(r"^\d\. \[(?:.*)\]\((.*?)\)", text, re.MULTILINE) == [
        path.name for path in CHAPTERS
    ]
    for path in CHAPTERS:
        title = re.search(r"^# \d\. (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)[1]
        assert f"[{title}]({path.name})" in text
