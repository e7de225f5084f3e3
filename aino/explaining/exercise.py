"""What an explanation says, as plain data that text, Markdown, LaTeX and HTML are written from."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from aino.explaining.expressions import Expression


@dataclass(slots=True, eq=False)
class Quantity:
    """A value of the computation: what it is called, and its numbers where they are known.

    ``kind``: ``parameter``, ``input``, ``constant`` or ``result``.
    """

    name: str
    shape: tuple[int, ...]
    kind: str = "result"
    array: np.ndarray | None = None


@dataclass(slots=True, eq=False)
class Operation:
    """One recorded operation: what it computed of what.

    ``title``: the operation's name. ``formula``: in the letters of the calculus. ``letters``: what
    stands for each of them here, settings included.
    """

    number: int
    title: str
    formula: str
    result: Quantity
    operands: dict[str, Quantity]
    settings: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def letters(self) -> dict[str, str]:
        """Return what each letter of the formula is called here."""
        numbers = {key: text for key, text in self.settings.items() if key not in ("axis", "axes")}
        return {**{key: q.name for key, q in self.operands.items()}, **numbers}

    def said(self) -> str:
        """Return the name of the operation, and along which axes it goes."""
        axes = [f"{key} {self.settings[key]}" for key in ("axis", "axes") if key in self.settings]
        return ", ".join([self.title, *axes])


@dataclass(slots=True, eq=False)
class Part:
    """What one step of the backward pass hands to one of the operands.

    ``local``: the local derivative in numbers. ``kind`` says how it meets the incoming gradient:
    ``"elementwise"`` (of the output's shape), ``"spread"`` (of the operand's shape, where each
    element went into one output), ``"jacobian"`` (a matrix: outputs by elements), or ``""`` where
    it is not written out; ``met`` is the incoming gradient in the shape in which it does.
    ``slope``: its formula; ``rule``: the formula of the product, where
    that is not element by element. ``words``: what happens, where no formula says it.
    ``product``: incoming times local. ``gradient``: what is handed on, with broadcasting undone.
    ``total``: the gradient of the operand so far; it is the ``use``-th of ``uses`` parts.
    """

    letter: str
    operand: Quantity
    kind: str
    local: np.ndarray | None
    slope: Expression | None
    rule: Expression | None
    words: str
    product: np.ndarray
    gradient: np.ndarray
    undone: str = ""
    met: np.ndarray | None = None
    use: int = 1
    uses: int = 1
    total: np.ndarray | None = None
    zero: str = ""


@dataclass(slots=True, eq=False)
class Step:
    """One step of the backward pass: an operation, what arrives, and what it hands on.

    ``module``: the names that lead to the module that it belongs to, as far as that is known.
    """

    number: int
    operation: Operation
    incoming: np.ndarray
    parts: list[Part] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    module: tuple[str, ...] = ()


@dataclass(slots=True, eq=False)
class Answer:
    """The gradient of what was asked for; None with the reason where nothing reaches it."""

    of: Quantity
    gradient: np.ndarray | None
    reason: str = ""


@dataclass(slots=True, eq=False)
class Exercise:
    """A backward pass, worked out."""

    output: Quantity
    seed: np.ndarray
    forward: list[Operation]
    steps: list[Step]
    answers: list[Answer]
    #: How often each operation stands in the steps that are not told one by one.
    left_out: dict[str, int]
    numbers: int
    notes: list[str] = field(default_factory=list)
    #: The class of each module that steps belong to, by the names that lead to it.
    modules: dict[tuple[str, ...], str] = field(default_factory=dict)

    def given(self) -> list[Quantity]:
        """Return what the told operations started from, in the order in which it is used."""
        found: dict[int, Quantity] = {}
        told = {id(operation.result) for operation in self.forward}
        for operation in self.forward:
            for quantity in operation.operands.values():
                if quantity.kind != "result" or id(quantity) not in told:
                    found.setdefault(id(quantity), quantity)
        return list(found.values())

    def gradient_name(self, quantity: Quantity | str) -> str:
        """Return what the gradient of a value is called: ``∂L/∂w``."""
        name = quantity if isinstance(quantity, str) else quantity.name
        return f"∂{self.output.name}/∂{name}"
