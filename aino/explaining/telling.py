"""An exercise as a list of headings, sentences and equations, which each format then writes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from aino.drawing.numbers import brief
from aino.explaining.exercise import Exercise, Operation, Part, Quantity, Step
from aino.explaining.expressions import is_constant
from aino.explaining.notation import as_text, in_names, once_bracketed
from aino.explaining.wording import FORMULAS

#: Jacobians of more elements than these are not shown.
_LARGEST_SHOWN = 16


@dataclass(slots=True)
class Heading:
    """A heading; ``level`` 1 is the title. ``note`` is said beside it.

    ``module``: the names that lead to the module that what follows belongs to.
    """

    level: int
    text: str
    note: str = ""
    module: tuple[str, ...] = ()


@dataclass(slots=True)
class Words:
    """A sentence. ``kind``: ``plain``, ``why`` (a reason for zero) or ``note``."""

    text: str
    kind: str = "plain"


@dataclass(slots=True)
class Factor:
    """Numbers or a formula inside of an equation, and the part that it plays.

    ``role``: ``incoming``, ``local``, ``product`` or empty.
    """

    what: Any
    role: str = ""


@dataclass(slots=True)
class Equation:
    """Sides that are equal, each a product of factors; ``note`` is said beside it."""

    sides: list[list[Factor]] = field(default_factory=list)
    note: str = ""


Item = Heading | Words | Equation


def tell(exercise: Exercise) -> list[Item]:
    """Return what is said, from the title to the answers."""
    return _Teller(exercise).items


class _Teller:
    def __init__(self, exercise: Exercise) -> None:
        self.exercise = exercise
        self.items: list[Item] = []
        output = exercise.output.name
        self.items.append(Heading(1, f"The backward pass of {output}, step by step"))
        self.forward()
        self.backward()
        self.answers()

    # Pieces

    def shown(self, array: np.ndarray | None) -> bool:
        return array is not None and (array.size <= self.exercise.numbers or not array.ndim)

    def value(self, quantity: Quantity) -> list[list[Factor]]:
        if quantity.array is None:
            return [[Factor(f"(of shape {tuple(quantity.shape)})")]]
        return [[Factor(self.numbers(quantity.array))]]

    def numbers(self, array: np.ndarray) -> Any:
        """Return an array to be written out, or the text that stands for a large one."""
        if self.shown(array):
            return array
        shape = "×".join(map(str, array.shape))
        if array.dtype.kind not in "fc":
            return f"{shape} {array.dtype}"
        wide = array.astype(np.float64) if array.dtype.kind == "f" else array
        with np.errstate(all="ignore"):
            return f"{shape}, norm {brief(float(np.sqrt(np.sum(np.abs(wide) ** 2))))}"

    def gradient(self, quantity: Quantity) -> str:
        return self.exercise.gradient_name(quantity)

    # Sections

    def forward(self) -> None:
        exercise = self.exercise
        self.items.append(Heading(2, "Forward", "what was computed"))
        for quantity in exercise.given():
            if quantity.kind == "constant" and quantity.shape == ():
                if quantity.array is not None and quantity.name == brief(quantity.array.item()):
                    continue  # it is called by its number
            kind = "" if quantity.kind == "input" else quantity.kind
            self.items.append(Equation([[Factor(quantity.name)], *self.value(quantity)], kind))
        for operation in exercise.forward:
            sides = [[Factor(operation.result.name)], [Factor(formula_of(operation))]]
            if (counted := numbers_in(operation)) is not None:
                sides.append([Factor(counted)])
            # Of several results each stands by itself.
            shown = [] if ", " in operation.result.name else self.value(operation.result)
            self.items.append(Equation([*sides, *shown], operation.said()))

    def backward(self) -> None:
        exercise = self.exercise
        self.items.append(Heading(2, "Backward", "the chain rule, from the end to the beginning"))
        name = exercise.output.name
        start = Equation(
            [[Factor(f"∂{name}/∂{name}")], [Factor(self.numbers(exercise.seed), "incoming")]],
            "to begin with",
        )
        self.items.append(start)
        for step in exercise.steps:
            self.step(step)
        if exercise.left_out:
            count = sum(exercise.left_out.values())
            kinds = ", ".join([f"{title} × {n}" for title, n in sorted(exercise.left_out.items())])
            self.items.append(
                Words(
                    f"... and {count:,} more steps of the same kinds: {kinds}. limit= tells more."
                )
            )

    def step(self, step: Step) -> None:
        operation = step.operation
        said = f"{operation.result.name} = {formula_of(operation)}"
        title = f"Step {step.number}: back through {said}"
        self.items.append(Heading(3, title, operation.said(), step.module))
        for note in step.notes:
            self.items.append(Words(note, "note"))
        incoming = self.incoming_name(step)
        if incoming:
            self.items.append(
                Equation([[Factor(incoming)], [Factor(self.numbers(step.incoming), "incoming")]],
                         "arrives")
            )  # fmt: skip
        for part in step.parts:
            self.part(step, part)

    def incoming_name(self, step: Step) -> str:
        name = step.operation.result.name
        return "" if ", " in name or not name else self.exercise.gradient_name(name)

    def part(self, step: Step, part: Part) -> None:
        target, result = self.gradient(part.operand), step.operation.result.name
        incoming = self.incoming_name(step) or "g"
        names = {**step.operation.letters(), "y": result, "g": incoming}
        local_name = f"∂{result}/∂{part.operand.name}" if incoming != "g" else ""
        if part.uses > 1:
            target = f"part {part.use} of {target}"
        product = self.numbers(part.product)
        if part.slope is not None and part.local is not None:
            sides = [[Factor(local_name)], [Factor(as_text(part.slope, names), "local")]]
            if is_constant(part.slope) and part.local.size:  # the same for all: said once
                sides = [
                    [Factor(local_name)],
                    [Factor(part.local.ravel()[:1].reshape(()), "local")],
                ]
                if part.slope.op != "number":
                    sides.insert(1, [Factor(as_text(part.slope, names), "local")])
            elif (counted := _scalars(step.operation, part.local)) is not None:
                text = once_bracketed(as_text(part.slope, counted))
                said = (as_text(part.slope, names), brief(part.local.item()))
                if text not in said and text.strip("()") not in said:
                    sides.append([Factor(text, "local")])
            last = sides[-1][0].what
            is_said = part.local.ndim == 0 and last == brief(part.local.item())
            if not is_constant(part.slope) and not is_said:
                sides.append([Factor(self.numbers(part.local), "local")])
            self.equation(sides, "local derivative")
        elif part.kind in ("elementwise", "spread") and part.local is not None:
            self.equation(
                [[Factor(local_name)], [Factor(self.numbers(part.local), "local")]],
                "local derivative",
            )
        elif part.kind == "jacobian" and part.rule is None and part.letter != "bias":
            assert part.local is not None
            if 1 < part.local.size <= min(_LARGEST_SHOWN, self.exercise.numbers + 4) and local_name:
                self.equation(
                    [[Factor(local_name)], [Factor(part.local, "local")]],
                    "the Jacobian: a row for each output, a column for each element",
                )
        if part.kind in ("elementwise", "spread"):
            sides = [[Factor(target)], [Factor(incoming, "incoming"), Factor(local_name, "local")]]
            if part.met is not None and self.shown(part.local) and self.shown(part.met):
                sides.append([Factor(part.met, "incoming"), Factor(part.local, "local")])
            sides.append([Factor(product, "product")])
        elif part.rule is not None:
            sides = [[Factor(target)], [Factor(as_text(part.rule, names))],
                     [Factor(product, "product")]]  # fmt: skip
        else:
            self.items.append(Words(f"{target}: {part.words}."))
            sides = [[Factor(target)], [Factor(product, "product")]]
        self.equation(sides, "for each copy" if part.undone else "")
        if part.undone:
            self.items.append(Words(f"{part.operand.name} was {part.undone}."))
            handed = self.numbers(part.gradient)
            self.equation([[Factor(target)], [Factor(handed, "product")]])
        if part.zero:
            self.items.append(Words(f"Why zero? {part.zero[0].upper()}{part.zero[1:]}.", "why"))
        if part.uses > 1 and part.total is not None:
            self.sum_so_far(part)

    def sum_so_far(self, part: Part) -> None:
        name = part.operand.name
        total = self.numbers(part.total)  # type: ignore[arg-type]
        if part.use == 1:
            self.items.append(Words(f"{name} is used {part.uses} times: the parts are added."))
            return
        done = part.use == part.uses
        note = "all parts, added" if done else f"{part.use} of {part.uses} parts, added"
        self.equation([[Factor(self.gradient(part.operand))], [Factor(total, "product")]], note)

    def equation(self, sides: list[list[Factor]], note: str = "") -> None:
        kept = [side for side in sides if any(x.what is not None and _is_said(x) for x in side)]
        self.items.append(Equation(kept, note))

    def answers(self) -> None:
        self.items.append(Heading(2, "Answer", "what backward() adds to .grad"))
        for answer in self.exercise.answers:
            name = self.gradient(answer.of)
            if answer.gradient is None:
                self.items.append(Equation([[Factor(name)], [Factor("none")]]))
                self.items.append(Words(f"Why none? {answer.of.name}: {answer.reason}.", "why"))
                continue
            numbers = Factor(self.numbers(answer.gradient), "product")
            self.items.append(Equation([[Factor(name)], [numbers]]))


def _is_said(factor: Factor) -> bool:
    return isinstance(factor.what, np.ndarray) or bool(factor.what)


def formula_of(operation: Operation) -> str:
    """Return the formula of an operation in the names of its operands."""
    if not operation.formula:
        return f"{operation.title}({', '.join([q.name for q in operation.operands.values()])})"
    formula = _declared(operation)
    if "x₁, x₂, ..." in formula:
        listed = ", ".join([q.name for q in operation.operands.values()])
        return formula.replace("x₁, x₂, ...", listed)
    return in_names(formula, operation.letters())


def _declared(operation: Operation) -> str:
    """Return the formula of an operation, without the operands that were not given."""
    formula = FORMULAS.get(operation.title, operation.formula)
    for name, sign in (("bias", "+"), ("weight", "·")):
        if name not in operation.operands:
            formula = formula.replace(f" {sign} {name}", "")
    return formula


def numbers_in(operation: Operation) -> str | None:
    """Return the formula with numbers in it, None where they are not single ones."""
    letters = operation.letters()
    for key, quantity in operation.operands.items():
        if quantity.array is None or quantity.array.ndim:
            return None
        letters[key] = brief(quantity.array.item())
    if not operation.formula or not operation.operands or operation.result.shape != ():
        return None
    text = once_bracketed(in_names(_declared(operation), letters))
    return None if text == formula_of(operation) or _is_bare(text) else text


def _is_bare(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _scalars(operation: Operation, local: np.ndarray) -> dict[str, str] | None:
    """Return the numbers of the operands, by their letters, where all are single ones."""
    if local.ndim:
        return None
    found: dict[str, str] = {}
    for key, quantity in {**operation.operands, "y": operation.result}.items():
        if quantity.array is None or quantity.array.ndim:
            return None
        text = brief(quantity.array.item())
        found[key] = f"({text})" if text.startswith("-") else text
    return found
