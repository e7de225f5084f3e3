"""What a compiled step costs before it is one: tracing, optimising, writing, up to the last call
that is not yet the program. Every turn compiles a step that was never seen before.
"""

from __future__ import annotations

from benchmarks import peers
from benchmarks.harness import Case, Contender
from benchmarks.networks import Network, jax_step, torch_style

NETWORK = Network((4, 16, 3), 32, "Adam")
#: Seconds that compiling may take.
LIMIT = 0.050


def cases() -> list[Case]:
    if peers.compiler() is None:
        return []
    return [
        Case(
            "tracing",
            NETWORK.name,
            contenders,
            {"the limit": 1},
            calls_before_check=0,
            unit="compilation",
        )
    ]


def contenders() -> list[Contender]:
    found = [Contender("AINO", compile_ours), Limit("the limit", lambda: None)]
    jax = peers.jax()
    if jax is not None:
        found.append(Contender("JAX jit", lambda: compile_theirs(jax)))
    return found


class Limit(Contender):
    """Takes as long as is allowed."""

    def timed(self, count: int) -> float:
        return LIMIT * count


def compile_ours() -> None:
    """Call a new step until its program is ready."""
    import aino

    step = aino.compile(torch_style(aino, NETWORK))
    while "1 of" not in repr(step):
        step()


def compile_theirs(jax) -> None:
    """Call a new step for the first time, which compiles it."""
    jax.clear_caches()
    step, wait = jax_step(jax, NETWORK)
    wait(step())
