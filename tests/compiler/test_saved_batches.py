"""A saved predictor takes any batch size, or says which shapes it is for."""

import subprocess
import sys

import numpy as np
import pytest

import aino
from aino import nn

F = nn.functional
SIZES = (1, 7, 64)


class Convolution(nn.Module):
    """Windows times a matrix, normalised by what was remembered, the largest of four, a head."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(aino.randn(6, 9))
        self.mean, self.var = nn.Buffer(aino.randn(6)), nn.Buffer(aino.rand(6) + 0.5)
        self.head = nn.Linear(6 * 4, 3)

    def forward(self, x):
        windows = x.unfold(1, 3, 1).unfold(2, 3, 1).reshape(x.shape[0], 4, 4, 9)
        y = (windows @ self.weight.T - self.mean) / (self.var + 1e-5).sqrt()
        y = y.relu().reshape(x.shape[0], 2, 2, 2, 2, 6).amax((2, 4))
        return self.head(y.flatten(1))


class Attention(nn.Module):
    """Embeddings of symbols and places, causal attention with two heads, a head for each."""

    def __init__(self):
        super().__init__()
        self.symbols, self.places = nn.Embedding(9, 8), nn.Embedding(5, 8)
        self.parts, self.norm, self.head = nn.Linear(8, 24), nn.LayerNorm(8), nn.Linear(8, 9)
        self.mask = nn.Buffer(aino.ones(5, 5).tril() == 0)

    def forward(self, x):
        count, length = x.shape
        h = self.symbols(x) + self.places(aino.arange(length))
        q, k, v = (
            part.reshape(count, length, 2, 4).transpose(1, 2)
            for part in self.parts(self.norm(h)).chunk(3, -1)
        )
        weights = (q @ k.transpose(-2, -1) / 2.0).masked_fill(self.mask, -aino.inf).softmax(-1)
        return self.head((weights @ v).transpose(1, 2).reshape(count, length, 8) + h)


class Recurrence(nn.Module):
    """An LSTM by hand, whose states begin as zeros for each sample."""

    def __init__(self):
        super().__init__()
        self.inputs, self.states = nn.Linear(2, 12), nn.Linear(3, 12)

    def forward(self, x):
        h, c = aino.zeros(x.shape[0], 3), aino.zeros(x.shape[0], 3)
        for position in range(x.shape[1]):
            i, f, o, z = (self.inputs(x[:, position]) + self.states(h)).chunk(4, 1)
            c = f.sigmoid() * c + i.sigmoid() * z.tanh()
            h = o.sigmoid() * c.tanh()
        return h


class Places(nn.Module):
    """Constants that know the batch: the number of each sample, one for all, their mean."""

    def forward(self, x):
        numbers = aino.arange(x.shape[0])
        return (
            x[numbers, numbers * 0 + 1],
            x - x.mean(0),
            x.sum() / x.shape[0] * aino.ones(x.shape[0], 2),
            (x * aino.tensor([1.0, 2.0, 3.0])).flatten(),
            x @ x.T,
            x + numbers.reshape(-1, 1),
        )


class Two(nn.Module):
    def forward(self, x, y):
        return F.cosine_similarity(x, y, dim=-1), aino.cat([x, y])


NETWORKS = {
    "a perceptron": (
        lambda: nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 2), nn.Softmax(-1)),
        lambda n: (aino.randn(n, 3),),
    ),
    "a convolution": (Convolution, lambda n: (aino.randn(n, 6, 6),)),
    "attention": (Attention, lambda n: (aino.randint(0, 9, (n, 5)),)),
    "a recurrence": (Recurrence, lambda n: (aino.randn(n, 4, 2),)),
    "places": (Places, lambda n: (aino.randn(n, 3),)),
    "two arguments": (Two, lambda n: (aino.randn(n, 3), aino.randn(n, 3))),
}


#: Runs a saved predictor on what was given for each size, and leaves its results.
RUN = f"""
import os
from saved import predict
given, left = np.load(os.path.join(sys.path[0], "given.npz")), {{}}
for n in {SIZES}:
    found = predict(*[given[k] for k in given.files if k.startswith(f"x{{n}}_")])
    found = found if isinstance(found, tuple) else (found,)
    left.update({{f"y{{n}}_{{i}}": y for i, y in enumerate(found)}})
np.savez(os.path.join(sys.path[0], "left.npz"), **left)
"""


def saved(tmp_path, model, arguments, weights="weights.npz"):
    compiled = aino.compile(model)
    with aino.no_grad():
        for _ in range(3):
            compiled(*arguments)
    compiled.save_source(tmp_path / "saved.py", weights and tmp_path / weights)
    return (tmp_path / "saved.py").read_text(encoding="utf-8")


def run_alone(tmp_path, code):
    """Run ``code`` beside the saved program without AINO; return what it printed."""
    head = f"import sys, numpy as np\nsys.modules['aino'] = None\nsys.path[0] = {str(tmp_path)!r}\n"
    done = subprocess.run([sys.executable, "-c", head + code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", NETWORKS)
def test_a_saved_predictor_takes_any_batch_size(tmp_path, name):
    make, draw = NETWORKS[name]
    aino.manual_seed(0)
    model = make().eval()
    text = saved(tmp_path, model, draw(8), None if name == "places" else "weights.npz")
    assert "It takes any batch size." in text
    given = {f"x{n}_{i}": x.numpy() for n in SIZES for i, x in enumerate(draw(n))}
    np.savez(tmp_path / "given.npz", **given)
    run_alone(tmp_path, RUN)
    left = np.load(tmp_path / "left.npz")
    for n in SIZES:
        with aino.no_grad():
            expected = model(*[aino.from_numpy(given[k]) for k in given if k.startswith(f"x{n}_")])
        expected = expected if isinstance(expected, tuple) else (expected,)
        for i, y in enumerate(expected):
            np.testing.assert_allclose(left[f"y{n}_{i}"], y.numpy(), 1e-4, 1e-5)


def test_another_shape_or_dtype_is_refused_in_words(tmp_path):
    saved(tmp_path, nn.Linear(3, 2), (aino.ones(4, 3),))
    told = run_alone(tmp_path, (
        "from saved import predict\n"
        "for x in np.ones((5, 4), 'f'), np.ones((5, 3)), np.float32(1), np.ones((0, 3), 'f'):\n"
        "    try: predict(x)\n"
        "    except ValueError as error: print(error)\n"
        "print(predict(np.asfortranarray(np.ones((5, 3), 'f'))).shape, predict([[1, 2, 3]]).shape)"
    )).splitlines()  # fmt: skip
    assert told == [
        "input: expected float32 of shape (batch, 3), got float32 of shape (5, 4)",
        "input: expected float32 of shape (batch, 3), got float64 of shape (5, 3)",
        "input: expected float32 of shape (batch, 3), got float32 of shape ()",
        "predict: a batch of 0, but it takes 1 or more",
        "(5, 2) (1, 2)",
    ]


class Quarters(nn.Module):
    def forward(self, x):
        return x.reshape(-1, 4, 3).sum(1)


class Branching(nn.Module):
    def forward(self, x):
        return x + 5 if x.shape[0] == 2 else x * 2


class Rank(nn.Module):
    def forward(self, x):
        return x * float(np.log(x.shape[0]))


@pytest.mark.parametrize("model", [Quarters(), Branching(), Rank()])
def test_a_program_for_one_size_says_so(tmp_path, model):
    text = saved(tmp_path, model, (aino.ones(8, 3),))
    assert "It is for the shapes that it was made with alone, because" in text
    told = run_alone(tmp_path, (
        "from saved import predict\n"
        "try: predict(np.ones((5, 3), 'f'))\n"
        "except ValueError as error: print(error)"
    ))  # fmt: skip
    assert told == "x: expected float32 of shape (8, 3), got float32 of shape (5, 3)\n"


class Least(nn.Module):
    def forward(self, x):
        if x.shape[0] == 1:
            raise ValueError("more than one sample, please")
        return x - x.mean(0)


def test_the_least_size_stands_in_the_file(tmp_path):
    text = saved(tmp_path, Least(), (aino.ones(8, 3),))
    assert "It takes any batch size from 2 on." in text
    told = run_alone(tmp_path, (
        "from saved import predict\n"
        "try: predict(np.ones((1, 3), 'f'))\n"
        "except ValueError as error: print(error)"
    ))  # fmt: skip
    assert told == "predict: a batch of 1, but it takes 2 or more\n"


def test_what_a_saved_program_draws_is_drawn_for_its_batch(tmp_path):
    model = nn.Dropout(0.5)
    compiled = aino.compile(lambda x: model(x))
    for _ in range(3):
        compiled(aino.ones(4, 3))
    compiled.save_source(tmp_path / "saved.py")
    code = f"from saved import {compiled.name} as f\nprint(f(np.ones((6, 3), 'f')).tolist())"
    assert eval(run_alone(tmp_path, code)) == compiled(aino.ones(6, 3)).tolist()
