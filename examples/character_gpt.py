"""A small GPT that learns to spell: the next character from those before it.

The text is the beginning of the King James Bible (1611), in `examples/data`; its last tenth is held
out. What a network knows of a text is how few bits it needs for a character: one that knows how
often each occurs needs 4.3, which is the entropy of the characters one by one. The training step
is compiled.

    python examples/character_gpt.py
"""

import math
import time
from pathlib import Path

import aino
from aino import nn
from aino.nn import functional as F

WIDTH, HEADS, LAYERS, CONTEXT, BATCH, STEPS = 64, 4, 2, 48, 16, 600
TEXT = Path(__file__).resolve().parent / "data" / "genesis.txt"


class Block(nn.Module):
    """Every position looks at those before it, and then thinks for itself."""

    def __init__(self):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.qkv, self.project = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.think = nn.Sequential(
            nn.Linear(WIDTH, 4 * WIDTH), nn.GELU("tanh"), nn.Linear(4 * WIDTH, WIDTH)
        )

    def look_back(self, x):
        batch, length, width = x.shape
        q, k, v = (
            part.view(batch, length, HEADS, width // HEADS).transpose(1, 2)
            for part in self.qkv(x).chunk(3, dim=-1)
        )
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.project(y.transpose(1, 2).reshape(batch, length, width))

    def forward(self, x):
        x = x + self.look_back(self.norm1(x))
        return x + self.think(self.norm2(x))


class GPT(nn.Module):
    def __init__(self, characters):
        super().__init__()
        self.character = nn.Embedding(characters, WIDTH)
        self.place = nn.Embedding(CONTEXT, WIDTH)
        self.blocks = nn.Sequential(*(Block() for _ in range(LAYERS)))
        self.last = nn.Sequential(nn.LayerNorm(WIDTH), nn.Linear(WIDTH, characters))

    def forward(self, index):
        places = aino.arange(index.shape[1])
        return self.last(self.blocks(self.character(index) + self.place(places)))


def windows(codes, starts):
    """Return stretches of the text, and the same one character later."""
    x = aino.stack([codes[start : start + CONTEXT] for start in starts])
    y = aino.stack([codes[start + 1 : start + CONTEXT + 1] for start in starts])
    return x, y


def bits(model, codes):
    """Return how many bits the model needs for a character of a text, on average."""
    x, y = windows(codes, range(0, len(codes) - CONTEXT - 1, CONTEXT))
    with aino.no_grad():
        return F.cross_entropy(model(x).flatten(0, 1), y.flatten()).item() / math.log(2.0)


def write(model, codes, count):
    """Let the model go on with a text, character by character."""
    written = codes.tolist()
    with aino.no_grad():
        for _ in range(count):
            scores = model(aino.tensor([written[-CONTEXT:]]))[0, -1]
            chances = F.softmax(scores / 0.7, dim=0)
            written.append(aino.multinomial(chances, 1).item())
    return written


def main():
    text = TEXT.read_text(encoding="utf-8")
    characters = sorted(set(text))
    code_of = {character: code for code, character in enumerate(characters)}
    codes = aino.tensor([code_of[character] for character in text])
    train, held_out = codes[: -len(codes) // 10], codes[-len(codes) // 10 :]
    shares = aino.bincount(train, minlength=len(characters)).double() + 1.0
    shares = shares / shares.sum()
    single = -shares[held_out].log2().mean().item()

    aino.set_num_threads(1)  # layers this small are not worth sharing
    aino.manual_seed(0)
    model = GPT(len(characters))
    optimizer = aino.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.1)
    schedule = aino.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=3e-3, total_steps=STEPS, cycle_momentum=False
    )

    @aino.compile
    def step(x, y):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x).flatten(0, 1), y.flatten())
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        return loss

    print(f"{len(text)} characters, {len(characters)} different ones; one by one they take")
    print(f"{single:.2f} bits each, and {math.log2(len(characters)):.2f} without any knowledge")
    start = time.perf_counter()
    for number in range(1, STEPS + 1):
        starts = aino.randint(0, len(train) - CONTEXT - 1, (BATCH,)).tolist()
        loss = step(*windows(train, starts))
        schedule.step()
        if number % 200 == 0:
            print(
                f"step {number}: {loss.item() / math.log(2.0):.2f} bits in training, "
                f"{bits(model, held_out):.2f} held out"
            )
    seconds = time.perf_counter() - start
    reached = bits(model, held_out)
    print(f"{reached:.2f} bits for a held-out character, after {seconds:.0f} s. It writes:\n")
    begun = "And God said, "
    codes = write(model, aino.tensor([code_of[c] for c in begun]), 240)
    print("".join(characters[code] for code in codes))
    assert reached < 0.65 * single


if __name__ == "__main__":
    main()
