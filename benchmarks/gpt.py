"""A training step of a small GPT: 4 layers of 128, 4 heads, 64 tokens, 16 of them at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks import peers
from benchmarks.harness import Case, Contender
from benchmarks.training import COMPILED, DEFAULT, EAGER, FASTEST, INDUCTOR, fastest_of

LAYERS, WIDTH, HEADS, TOKENS, BATCH, VOCABULARY = 4, 128, 4, 64, 16, 65


def cases() -> list[Case]:
    name = f"gpt {LAYERS}x{WIDTH}, {HEADS} heads, {TOKENS} tokens, batch {BATCH}, AdamW"
    wanted = {FASTEST: 1.0} if peers.compiler() is not None else {}
    return [Case("gpt", name, contenders, wanted)]


def contenders() -> list[Contender]:
    import aino

    found = []
    compile = peers.compiler()
    if compile is not None:
        found.append(Contender(COMPILED, compile(step_of(aino))))
    found.append(Contender(EAGER, step_of(aino)))
    torch = peers.torch()
    if torch is not None:
        found.append(Contender(DEFAULT, step_of(torch)))
        setting = fastest_of(lambda **settings: step_of(torch, **settings))
        found.append(Contender(FASTEST, step_of(torch, **setting)))
        if peers.with_torch_compile:
            found.append(Contender(INDUCTOR, torch.compile(step_of(torch, **setting))))
    return found


def model_of(torch: Any) -> Any:
    """Return the network, written once for every library that speaks PyTorch's language."""
    nn, F = torch.nn, torch.nn.functional

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm1, self.norm2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
            self.qkv = nn.Linear(WIDTH, 3 * WIDTH)
            self.project = nn.Linear(WIDTH, WIDTH)
            self.widen = nn.Linear(WIDTH, 4 * WIDTH)
            self.narrow = nn.Linear(4 * WIDTH, WIDTH)

        def attend(self, x):
            batch, tokens, width = x.shape
            q, k, v = (
                part.view(batch, tokens, HEADS, width // HEADS).transpose(1, 2)
                for part in self.qkv(x).split(width, dim=2)
            )
            y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
            return self.project(y.transpose(1, 2).contiguous().view(batch, tokens, width))

        def forward(self, x):
            x = x + self.attend(self.norm1(x))
            return x + self.narrow(F.gelu(self.widen(self.norm2(x)), approximate="tanh"))

    class GPT(nn.Module):
        def __init__(self):
            super().__init__()
            self.token = nn.Embedding(VOCABULARY, WIDTH)
            self.place = nn.Embedding(TOKENS, WIDTH)
            self.blocks = nn.Sequential(*(Block() for _ in range(LAYERS)))
            self.norm = nn.LayerNorm(WIDTH)
            self.head = nn.Linear(WIDTH, VOCABULARY, bias=False)

        def forward(self, index):
            places = torch.arange(index.shape[1])
            x = self.token(index) + self.place(places)
            return self.head(self.norm(self.blocks(x)))

    return GPT()


def step_of(torch: Any, **settings: bool) -> Callable[[], Any]:
    """Return one training step on the same batch."""
    torch.manual_seed(0)
    model = model_of(torch)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-4, **settings)
    x = torch.randint(0, VOCABULARY, (BATCH, TOKENS))
    y = torch.randint(0, VOCABULARY, (BATCH, TOKENS))
    loss_of = torch.nn.functional.cross_entropy

    def step():
        optimizer.zero_grad()
        loss = loss_of(model(x).view(-1, VOCABULARY), y.view(-1))
        loss.backward()
        optimizer.step()
        return loss.detach()

    return step
