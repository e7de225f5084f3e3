"""Names of C for what a program calls otherwise."""

from __future__ import annotations

import re
from collections.abc import Iterable

from aino.compiler.backends.c.needed import FUNCTIONS

#: The words of C, the functions of ``math.h`` and a few others that compilers know.
_WORDS = """
    auto break case char const continue default do double else enum extern float for goto if inline
    int long register restrict return short signed sizeof static struct switch typedef union
    unsigned void volatile while _Bool _Complex _Imaginary bool true false asm main NULL NAN
    INFINITY
    acos asin atan atan2 cos sin tan acosh asinh atanh cosh sinh tanh exp exp2 expm1 frexp ilogb
    ldexp log log10 log1p log2 logb modf scalbn scalbln cbrt fabs hypot pow sqrt erf erfc lgamma
    tgamma ceil floor nearbyint rint lrint llrint round lround llround trunc fmod remainder remquo
    copysign nan nextafter nexttoward fdim fmax fmin fma j0 j1 jn y0 y1 yn gamma signgam signbit
    isnan isinf isfinite isnormal abs labs div exit abort index memory window w found
"""
_TAKEN = {
    *[f"{name}{end}" for name in _WORDS.split() for end in ("", "f", "l")],
    *[f"{name}{end}" for name in FUNCTIONS for end in ("", "_int8", "_double", "_float")],
    *"ijklmn",
}


class Scope:
    """Names that are taken, each by one thing."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self.taken = {*_TAKEN, *taken}

    def name(self, wished: str) -> str:
        """Return a name like the one that is wished, which nothing else has."""
        plain = re.sub(r"\W+", "_", wished, flags=re.ASCII).strip("_")
        if not plain or plain[0].isdigit():
            plain = f"layer_{plain}".rstrip("_")
        found, number = plain, 2
        while found in self.taken:
            found, number = f"{plain}_{number}", number + 1
        self.taken.add(found)
        return found


def identifier(text: str) -> str:
    """Return a text as a name of C that no keyword and no function has."""
    return Scope().name(text)
