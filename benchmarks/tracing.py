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
#: Steps of a Runge-Kutta loop, and the seconds that compiling it may take.
STEPS = 64
LOOP_LIMIT = 3.0


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
        ),
        Case(
            "tracing",
            f"Runge-Kutta, {STEPS} steps, 2-16-2, batch 32, Adam",
            lambda: [Contender("AINO", compile_loop), Limit("the limit", LOOP_LIMIT)],
            {"the limit": 1},
            calls_before_check=0,
            unit="compilation",
        ),
    ]


def contenders() -> list[Contender]:
    found = [Contender("AINO", compile_ours), Limit("the limit", LIMIT)]
    jax = peers.jax()
    if jax is not None:
        found.append(Contender("JAX jit", lambda: compile_theirs(jax)))
    return found


class Limit(Contender):
    """Takes as long as is allowed."""

    def __init__(self, name: str, seconds: float) -> None:
        super().__init__(name, lambda: None)
        self.seconds = seconds

    def timed(self, count: int) -> float:
        return self.seconds * count


def compile_ours() -> None:
    """Call a new step until its program is ready."""
    import aino

    step = aino.compile(torch_style(aino, NETWORK))
    while "1 of" not in repr(step):
        step()


def compile_loop() -> None:
    """Compile a training step through a long loop of four calls of a network each."""
    import aino

    model = aino.nn.Sequential(aino.nn.Linear(2, 16), aino.nn.Tanh(), aino.nn.Linear(16, 2))
    optimizer = aino.optim.Adam(model.parameters(), lr=0.01)
    start, target = aino.randn(32, 2), aino.randn(32, 2)

    @aino.compile
    def step(x, y):
        optimizer.zero_grad()
        for _ in range(STEPS):
            k1 = model(x)
            k2 = model(x + 0.05 * k1)
            k3 = model(x + 0.05 * k2)
            x = x + 0.1 / 6 * (k1 + 2 * k2 + 2 * k3 + model(x + 0.1 * k3))
        loss = ((x - y) ** 2).mean()
        loss.backward()
        optimizer.step()
        return loss

    while "1 of" not in repr(step):
        step(start, target)


def compile_theirs(jax) -> None:
    """Call a new step for the first time, which compiles it."""
    jax.clear_caches()
    step, wait = jax_step(jax, NETWORK)
    wait(step())
