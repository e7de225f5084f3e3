"""The page of what AINO leaves out of PyTorch is what the command prints."""

from pathlib import Path

from aino import coverage
from aino.__main__ import main

PAGE = Path(__file__).parent.parent / "docs" / "coverage.md"


def test_the_page_is_current():
    """``python -m tests.test_coverage`` writes it anew."""
    assert PAGE.read_text(encoding="utf-8") == page()


def test_the_command(capsys):
    assert main(["coverage"]) == 0
    assert capsys.readouterr().out == coverage.report() + "\n"


def test_no_name_is_left_out_twice():
    for space, count in coverage.NAMES.items():
        names = [name for found in coverage.left_out(space).values() for name in found]
        assert len(names) == len(set(names)) <= count


def page() -> str:
    return (
        "# What AINO has of PyTorch\n\n"
        "`python -m aino coverage` prints this: how many of the public names of PyTorch 2.13 AINO "
        "has, and each that it leaves out, with the reason. Parity with PyTorch holds the list to "
        "be exact, and runs PyTorch's own samples of its operations through all of AINO's names.\n"
        f"\n```text\n{coverage.report()}\n```\n"
    )


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
