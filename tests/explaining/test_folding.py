"""Explanations as HTML fold by module, as far as parameters tell which module a step belongs to."""

from __future__ import annotations

import re

import aino
from aino import nn


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(3, 3), nn.Linear(3, 3)

    def forward(self, x):
        return x + self.b(self.a(x).tanh())


class Net(nn.Module):
    def __init__(self, blocks=2):
        super().__init__()
        self.blocks = nn.Sequential(*[Block() for _ in range(blocks)])
        self.head = nn.Linear(3, 2)

    def forward(self, x):
        return self.head(self.blocks(x).relu())


def modules_of(explanation):
    return [(step.operation.title, ".".join(step.module)) for step in explanation.steps]


def outline(html):
    """Return titles of what folds, and steps, indented as they are nested; + where it is open."""
    depth, lines = 0, []
    pattern = r"<details[^>]*>|</details>|<b>(.*?)</b> (\w*) <small>(\d+) steps|<h4>(Step \d+)"
    for found in re.finditer(pattern, html):
        if found[0] == "</details>":
            depth -= 1
        elif found[0].startswith("<details"):
            mark = "+" if " open" in found[0] else "-"
            depth += 1
        elif found[4]:
            lines.append("  " * depth + found[4])
        else:
            lines.append("  " * (depth - 1) + f"{mark} {found[1]}: {found[2]}, {found[3]}")
    assert depth == 0
    return lines


def test_steps_belong_to_the_modules_whose_parameters_they_use():
    net = Net()
    loss = nn.functional.cross_entropy(net(aino.ones(1, 3)), aino.tensor([1]))
    explanation = aino.explain(loss)
    assert modules_of(explanation) == [
        ("cross_entropy", ""),
        ("linear", "net.head"),
        ("relu", "net"),
        ("add", "net"),
        ("linear", "net.blocks.1.b"),
        ("tanh", "net.blocks.1"),
        ("linear", "net.blocks.1.a"),
        ("add", "net.blocks"),
        ("linear", "net.blocks.0.b"),
        ("tanh", "net.blocks.0"),
        ("linear", "net.blocks.0.a"),
    ]
    assert outline(explanation.html()) == [
        "Step 1",
        "+ net: Net, 10",
        "  Step 2",
        "  Step 3",
        "  Step 4",
        "  + net.blocks: Sequential, 7",
        "    + net.blocks.1: Block, 3",
        "      Step 5",
        "      Step 6",
        "      Step 7",
        "    Step 8",
        "    + net.blocks.0: Block, 3",
        "      Step 9",
        "      Step 10",
        "      Step 11",
    ]


def test_of_many_steps_the_outermost_fold_is_open_alone():
    net = Net(blocks=4)
    lines = outline(aino.explain(net(aino.ones(1, 3)).sum()).html())
    folds = [line.strip() for line in lines if "Step" not in line]
    assert folds == ["+ net: Net, 18", "- net.blocks: Sequential, 15",
                     *[f"- net.blocks.{i}: Block, 3" for i in (3, 2, 1, 0)]]  # fmt: skip


def test_a_module_that_is_called_again_folds_again():
    block, h = Block(), aino.ones(1, 3)
    for _ in range(2):
        h = block(h).relu()
    explanation = aino.explain(h.sum())
    # What lies between parameters of one module is taken to be in it: the graph says no more.
    assert [path for _, path in modules_of(explanation)] == [
        "", "", "", "block.b", "block", "block.a", "block", "block", "block.b", "block", "block.a"
    ]  # fmt: skip
    fc, h = nn.Linear(3, 3), aino.ones(1, 3)
    for _ in range(2):
        h = fc(h).relu()
    # What lies between two calls of one module is in neither.
    assert modules_of(aino.explain(h.sum())) == [
        ("sum", ""), ("relu", ""), ("linear", "fc"), ("relu", ""), ("linear", "fc")
    ]  # fmt: skip


class Scale(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight, self.bias = nn.Parameter(aino.ones(3)), nn.Parameter(aino.zeros(3))

    def forward(self, x):
        return (x * self.weight).tanh() + self.bias


def test_what_lies_between_two_parameters_of_a_module_is_in_it():
    scale = Scale()
    assert modules_of(aino.explain(scale(aino.ones(3)).sum())) == [
        ("sum", ""), ("add", "scale"), ("tanh", "scale"), ("mul", "scale")
    ]  # fmt: skip


class Holder:
    def __init__(self):
        self.net = Block()

    def explain(self):
        return aino.explain(self.net(aino.ones(1, 3)).sum())


def test_modules_are_found_where_their_names_are():
    def first_of(explanation):
        return [path for _, path in modules_of(explanation)][2]

    assert first_of(Holder().explain()) == "self.net.b"
    models = {"<b>": Block()}
    loss = models["<b>"](aino.ones(1, 3)).sum()
    assert {path for _, path in modules_of(aino.explain(loss))} == {""}
    named = aino.explain(loss, names=models)
    assert first_of(named) == "<b>.b"
    assert "<b>&lt;b&gt;</b> Block" in named.html()
    assert first_of(aino.explain(loss, wrt=models["<b>"])) == "b"


def test_the_other_forms_do_not_fold():
    net = Net()
    explanation = aino.explain(net(aino.ones(1, 3)).sum())
    for form in (str(explanation), explanation.markdown(), explanation.latex()):
        assert "details" not in form
        assert "Sequential" not in form


def test_a_page_without_modules_does_not_fold():
    w = aino.tensor(3.0, requires_grad=True)
    assert outline(aino.explain((w * 2.0) ** 2).html()) == ["Step 1", "Step 2"]
