"""Expressions and declared formulas as text and as LaTeX, in the names of the user's variables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from aino.drawing.numbers import brief
from aino.explaining.expressions import Expression

# Expressions as text

#: How tightly operators hold: what holds less stands in brackets inside of what holds more.
_HOLDS = {"where": 0, "or": 1, "and": 2, "not": 3, "add": 5, "sub": 5, "neg": 6, "mul": 7,
          "div": 7, "matmul": 8, "power": 10, "transposed": 10}  # fmt: skip
_COMPARED = 4
_ATOM = 12
_BETWEEN = {"add": " + ", "sub": " - ", "mul": " · ", "div": " / ", "matmul": " ",
            "and": " and ", "or": " or "}  # fmt: skip
_SUPERSCRIPT = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


def as_text(x: Expression, names: Mapping[str, str]) -> str:
    """Return an expression as a line of text; ``names`` is what its symbols are called."""
    return _text(x, names)[0]


def _text(x: Expression, names: Mapping[str, str]) -> tuple[str, int]:
    """Return the text of an expression, and how tightly it holds together."""
    if x.op == "number":
        text = brief(x.args[0])
        return text, _HOLDS["neg"] if text.startswith("-") else _ATOM
    if x.op == "symbol":
        said = names.get(x.args[0], x.args[0])
        return said, 9 if "/" in said else _ATOM if re.fullmatch(r"[^\s+·]+", said) else 7
    if x.op.startswith("call "):
        name, args = x.op[5:], [as_text(part, names) for part in x.args]
        if name == "abs":
            return f"|{args[0]}|", _ATOM
        if name == "⌊⌋":
            return f"⌊{args[0]}⌋", _ATOM
        return f"{name}({', '.join(args)})", _ATOM
    if x.op.startswith("phrase "):
        args = [_held(part, names, _ATOM) for part in x.args]
        text = x.op[7:].format(*args)
        return text, _ATOM if text.endswith("]") else 3
    holds = _HOLDS.get(x.op, _COMPARED)
    if x.op == "where":
        condition, yes, no = [_held(part, names, 1) for part in x.args]
        return f"{yes} where {condition}, else {no}", holds
    if x.op == "neg":
        return "-" + _held(x.args[0], names, 7), holds
    if x.op == "not":
        return "not " + _held(x.args[0], names, _COMPARED), holds
    if x.op == "transposed":
        return _held(x.args[0], names, _ATOM) + "ᵀ", holds
    if x.op == "power":
        base, exponent = x.args
        value = exponent.args[0] if exponent.op == "number" else None
        if isinstance(value, (int, float)) and value == int(value):
            return _held(base, names, _ATOM) + str(int(value)).translate(_SUPERSCRIPT), holds
        return f"{_held(base, names, _ATOM)}^{_held(exponent, names, _ATOM)}", holds
    left, right = x.args
    tighter = holds + (x.op in ("sub", "div", "matmul"))
    middle = _BETWEEN.get(x.op, f" {x.op} ")
    return _held(left, names, holds) + middle + _held(right, names, tighter), holds


def _held(x: Expression, names: Mapping[str, str], least: int) -> str:
    text, holds = _text(x, names)
    return text if holds >= least else f"({text})"


# Declared formulas in the user's names

_RAISED = {"ˣ": "x", "ᵃ": "a", "ᵇ": "b", "ˢ": "s"}
#: Letters that formulas have for settings: what the parameter is called.
_SETTINGS = {"ⁿ": "exponent", "α": "alpha", "λ": "bound", "δ": "delta", "β": "beta", "ε": "eps"}


#: Letters that nobody's names begin with: they stand for names until all of them are in place.
_RUNES = 0x16A0


def in_names(formula: str, names: Mapping[str, str]) -> str:
    """Return a declared formula with ``names`` for its letters: ``a · b`` as ``w · x``.

    >>> in_names("eˣ", {"x": "z"}), in_names("a / b", {"a": "u", "b": "v + 1"})
    ('exp(z)', 'u / (v + 1)')
    >>> in_names("xⁿ", {"x": "d", "exponent": "3"})
    'd³'
    """
    if formula == "eˣ" and "x" in names:
        return f"exp({names['x']})"
    texts: dict[int, str] = {}
    marked = {}
    for place, (key, name) in enumerate(names.items()):
        mark = chr(_RUNES + place) if re.search(r"[^\W\d_]", name) else name
        if mark != name:
            whole = _is_whole(name) or formula == key or key.startswith("ind")
            texts[ord(mark)] = name if whole else f"({name})"
        marked[key] = mark
    return _filled(formula, marked).translate(texts)


def _filled(formula: str, names: Mapping[str, str]) -> str:
    """Put names in the places of letters; they are no letters of the formula themselves."""
    if "x" in names:  # a bar stands over no longer name
        if formula == "x̄":
            return f"conj({names['x']})"
        formula = formula.replace("x̄", "mean(x)")
    formula = re.sub("ᵏ|ⁿ", lambda m: _raised(names, m[0]), formula)
    formula = re.sub("⁻?[ˣᵃᵇˢ]", lambda m: _exponent(names, m[0]), formula)
    formula = re.sub(r"\^\(([\w.]+)\)", r"^\1", formula)
    alone = re.fullmatch(r"\w+", formula) is not None

    def named(match: re.Match) -> str:
        key = _SETTINGS.get(match[0], match[0])
        if key not in names:
            return match[0]
        inside = formula[match.start() - 1 : match.start()] == "[" and key.startswith("ind")
        text = names[key]
        return text if alone or inside or _is_whole(text) else f"({text})"

    # A letter next to another, as in "ln x" or "x t", stands by itself; words stay words.
    return re.sub(r"[^\W\d_]+(?=[₀-₉ᵢⱼₖₜ]*)", lambda m: _word(m, named, names), formula)


def _is_whole(text: str) -> bool:
    """Tell whether a text holds together by itself: a name, a number, what stands in brackets."""
    return re.fullmatch(r"[\w.′\[\]'()]+|[(\[].*[)\]]", text) is not None


def _word(match: re.Match, named: Any, names: Mapping[str, str]) -> str:
    word = match[0]
    letters = word.rstrip("₀₁₂₃₄₅₆₇₈₉ᵢⱼₖₜᵀᴴ⁰¹²³⁴⁵⁶⁷⁸⁹⁻ⁿᵖ")
    if letters == word or not letters:
        return named(match)
    key = _SETTINGS.get(letters, letters)
    if key not in names:
        return word
    text = names[key]
    return (text if _is_whole(text) else f"({text})") + word[len(letters) :]


def once_bracketed(text: str) -> str:
    """Return a formula with numbers in it, whose brackets are no others' whole contents.

    >>> once_bracketed("σ((-4)) · (-(-4))")
    'σ(-4) · (-(-4))'
    """
    return re.sub(r"\(\((-[^()]*)\)\)", r"(\1)", text)


def _exponent(names: Mapping[str, str], letters: str) -> str:
    """Return what stands raised, with the sign before it: ``⁻ˣ`` as ``^(-(-4))``."""
    letter = _RAISED[letters[-1]]
    text = names.get(letter, letter)
    if text == letter:
        return letters
    if letters == letters[-1]:
        return f"^({text})"
    return f"^(-{text})" if _is_whole(text) else f"^(-({text}))"


def _raised(names: Mapping[str, str], letter: str) -> str:
    text = names.get(_SETTINGS.get(letter, ""), letter)
    if re.fullmatch(r"-?\d+(\.0)?", text):
        return text.removesuffix(".0").translate(_SUPERSCRIPT)
    return f"^{text}" if text != letter else letter


# LaTeX

_LATEX = {
    "·": r"\cdot ", "Σ": r"\sum ", "Π": r"\prod ", "∂": r"\partial ",
    "≤": r"\le ", "≥": r"\ge ", "≠": r"\ne ", "∞": r"\infty ", "±": r"\pm ", "∗": r"\ast ",
    "∧": r"\wedge ", "∨": r"\vee ", "⊻": r"\oplus ", "¬": r"\neg ", "→": r"\to ", "½": r"\tfrac12 ",
    "α": r"\alpha ", "β": r"\beta ", "γ": r"\gamma ", "δ": r"\delta ", "ε": r"\varepsilon ",
    "ζ": r"\zeta ", "λ": r"\lambda ", "π": r"\pi ", "σ": r"\sigma ", "ψ": r"\psi ", "Γ": r"\Gamma ",
    "⌊": r"\lfloor ", "⌋": r"\rfloor ", "⌈": r"\lceil ", "⌉": r"\rceil ", "×": r"\times ",
    "…": r"\ldots ", "′": "'", "&": r"\mathbin{\&}", "~": r"\sim ", "⊙": r"\odot ",
    "%": r"\%", "#": r"\#", "$": r"\$", "{": r"\{", "}": r"\}", "^": r"\hat{}", "\\": r"\setminus ",
    "∫": r"\int ", "∈": r"\in ", "‖": r"\| ", "−": "-", "χ": r"\chi ", "μ": r"\mu ",
    "θ": r"\theta ", "φ": r"\varphi ", "ω": r"\omega ", "η": r"\eta ", "ρ": r"\rho ", "τ": r"\tau ",
    "κ": r"\kappa ",
    "Δ": r"\Delta ", "Φ": r"\Phi ", "Ω": r"\Omega ", "Λ": r"\Lambda ", "ξ": r"\xi ", "ν": r"\nu ",
}  # fmt: skip
_UP = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ⁿˣᵃᵇˢᵀᴴᵖᵏⁱʲᵗᵐˡʷ", "0123456789+-()nxabsTHpkijtmlw"))
_DOWN = dict(zip("₀₁₂₃₄₅₆₇₈₉₊₋₍₎ᵢⱼₖₜₙₘₓ", "0123456789+-()ijktnmx"))
_BARRED = {"x̄": r"\bar{x}", "ȳ": r"\bar{y}", "ḡ": r"\bar{g}"}
_KNOWN = {"exp", "ln", "sin", "cos", "tan", "sinh", "cosh", "tanh", "max", "min", "det", "arcsin",
          "arccos", "arctan"}  # fmt: skip


_FRACTION = re.compile(r"∂([\w.′\[\]']+)/∂([\w.′\[\]']*[\w′\]])")


def _fraction(match: re.Match) -> str:
    above, below = _plain_latex(match[1]), _plain_latex(match[2])
    return rf"\frac{{\partial {above}}}{{\partial {below}}}"


def latex_of(text: str) -> str:
    """Return a line of mathematical text as LaTeX, in ASCII.

    >>> latex_of("1 / (1 + e⁻ˣ)"), latex_of("w₁ · x"), latex_of("loss_value / √n")
    ('1 / (1 + e^{-x})', 'w_{1} \\\\cdot x', '\\\\mathrm{loss\\\\_value} / \\\\sqrt{n}')
    """
    text = _FRACTION.sub(lambda m: f"\0{_fraction(m)}\0", text)
    parts = text.split("\0")
    return "".join([part if i % 2 else _plain_latex(part) for i, part in enumerate(parts)]).strip()


def _plain_latex(text: str) -> str:
    written, position = [], 0
    pattern = re.compile(
        rf"(?P<barred>{'|'.join(_BARRED)})"
        rf"|(?P<up>[{''.join(map(re.escape, _UP))}]+)|(?P<down>[{''.join(_DOWN)}]+)"
        r"|(?P<raised>\^(\([^()]*\)|[\w.]+))"
        r"|(?P<word>[A-Za-z_][A-Za-z_0-9.']*(?:\[['A-Za-z_0-9]+\])?)|(?P<space>\s+)|(?P<other>.)"
    )
    while position < len(text):
        match = pattern.match(text, position)
        assert match is not None
        position = match.end()
        token = match[0]
        if match["barred"]:
            written.append(_BARRED[token])
        elif match["up"]:
            written.append("^{" + "".join(_UP[c] for c in token) + "}")
        elif match["down"]:
            written.append("_{" + "".join(_DOWN[c] for c in token) + "}")
        elif match["raised"]:
            inner = token[2:-1] if token.startswith("^(") else token[1:]
            written.append("^{" + _plain_latex(inner) + "}")
        elif match["word"]:
            written.append(_latex_word(token))
        elif match["space"]:
            written.append(" ")
        elif token == "√":
            inner = _rooted(text, position)
            position += len(inner)
            bare = inner[1:-1] if inner.startswith("(") else inner
            written.append(r"\sqrt{" + _plain_latex(bare) + "}")
        elif token in _LATEX:
            written.append(_LATEX[token])
        else:
            written.append(token if token.isascii() else r"\text{?}")
    return re.sub(r" +", " ", "".join(written))


def _rooted(text: str, start: int) -> str:
    """Return what stands under a root that ends at ``start``: brackets, or one word."""
    if text[start : start + 1] != "(":
        match = re.match(r"\|[^|]*\||[\w.]+|[^\s]?", text[start:])
        return match[0] if match is not None else ""
    depth = 0
    for position in range(start, len(text)):
        depth += {"(": 1, ")": -1}.get(text[position], 0)
        if not depth:
            return text[start : position + 1]
    return text[start:]


def _latex_word(token: str) -> str:
    if token in _KNOWN:
        return rf"\{token} "
    numbered = re.fullmatch(r"([A-Za-z])_?(\d+)", token)
    if numbered is not None:
        return f"{numbered[1]}_{{{numbered[2]}}}"
    if len(token) == 1 and token != "_":
        return token
    if token in ("where", "else", "and", "or", "not", "is", "of", "over", "the"):
        return rf"\text{{ {token} }}"
    return r"\mathrm{" + token.replace("_", r"\_") + "}"
