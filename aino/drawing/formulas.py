"""Formulas of operations in the names of the user: ``L = d · f`` rather than ``a · b``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from aino.explaining.notation import in_names

#: Operations whose formula is said in another way where it is drawn.
_FORMULAS = {
    "rows_mm": "a b", "bmm": "a b", "choose": "x[index]", "gather": "x[index]",
    "gather_of": "x[index]", "pick": "x[indices]", "convolution": "x ∗ weight + bias",
    "linear": "x weightᵀ + bias", "convolution_transpose": "(∗ weight)ᵀ x + bias",
    "layer_norm": "(x - E[x]) / √(Var[x] + ε) · weight + bias",
    "batch_norm": "(x - E[x]) / √(Var[x] + ε) · weight + bias",
    "rms_norm": "x / √(E[x²] + ε) · weight", "overwrite": "base[path] = value",
    "fmax": "max(a, b)", "fmin": "min(a, b)", "reshape": "x as shape", "permute": "xᵀ",
    "expand": "x as shape", "spread": "x as shape",
}  # fmt: skip
#: What a letter stands for, where the input is called otherwise.
_LETTERS = {"t": ("target", "places")}
#: Letters that nobody's names begin with, which stand for names meanwhile.
_RUNES = 0x16A0
_SUPERSCRIPT = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_SUBSCRIPT = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def formula_of(declared: Any) -> str:
    """Return the formula of a primitive as it is drawn."""
    return _FORMULAS.get(declared.name, declared.formula)


def numbered(letter: str, number: int) -> str:
    """Return the name of what nobody has named: ``v₁₂``."""
    return letter + str(number).translate(_SUBSCRIPT)


def spoken(declared: Any, letters: Mapping[str, str], missing: set[str], result: str) -> str:
    """Return the formula of an operation in names, with what it computed on its left side.

    ``letters``: what is called how, inputs and parameters. ``missing``: inputs that were not
    given. ``result``: what the output is called.
    """
    if declared.variadic:
        return f"{result} = {_listed(declared, list(letters.values()))}"
    formula = formula_of(declared)
    names = {name: _number(text) for name, text in letters.items()}
    for letter, owners in _LETTERS.items():
        for owner in owners:
            if owner in letters and letter not in declared.inputs:
                names[letter] = letters[owner]
    for name in missing:
        formula = re.sub(rf" [+·] {name}\b", "", formula)
    said = _in_names(formula, names)
    if re.match(r"y[ᵢⱼₖₜ]*( =|\[)", said):
        return result + said[1:]
    if re.match(r"\w+[ᵢⱼₖₜ]*(\[.*\])? \+?= ", said) or " with " in said:
        return said
    return f"{result} = {said}"


def _in_names(formula: str, names: Mapping[str, str]) -> str:
    """Put names in the places of letters, all at once: a name may be another's letter."""
    marked, texts = [], {}
    for place, (key, name) in enumerate(names.items()):
        mark = chr(_RUNES + place)
        if re.search(r"[^\W\d_]", name):
            texts[ord(mark)], name = name, mark
        marked.append((key, name))
    return _filled(formula, tuple(marked)).translate(texts)


@lru_cache(maxsize=1024)
def _filled(formula: str, names: tuple[tuple[str, str], ...]) -> str:
    return in_names(formula, dict(names))


def _number(text: str) -> str:
    """Return a small number as a power of ten: ``1e-05`` as ``10⁻⁵``; other texts as they are."""
    found = re.fullmatch(r"1e-0?(\d+)", text)
    return "10⁻" + found[1].translate(_SUPERSCRIPT) if found else text


def _listed(declared: Any, names: list[str]) -> str:
    """Return what is joined: ``[x, y] on a new axis``."""
    if len(names) > 5:
        names = [*names[:3], "…", names[-1]]
    how = declared.formula.rpartition("...")[2]
    return f"[{', '.join(names)}]{how}"


def short_names(names: Mapping[str, str]) -> dict[str, str]:
    """Return names without the path of the module, as long as they are still told apart.

    >>> short_names({"x": "input", "weight": "layers.0.weight"})
    {'x': 'input', 'weight': 'weight'}
    """
    short = {key: _last(name) for key, name in names.items()}
    if len(set(short.values())) < len(set(names.values())):
        return dict(names)
    return short


def _last(name: str) -> str:
    if name.startswith("self.") or not re.fullmatch(r"[\w.]+\.[A-Za-z_]\w*", name):
        return name
    return name.rpartition(".")[2]
