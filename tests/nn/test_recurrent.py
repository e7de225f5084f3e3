"""Recurrent layers: packed sequences, programs, transforms, what programs touch of them."""

import copy
import pickle
import runpy

import numpy as np
import pytest

import aino
from aino import func, nn, optim
from aino.autograd.tensor import make
from aino.errors import AinoError, CompileError
from aino.nn.utils import rnn as sequences
from tests.nn.rows_recurrent import recurrent

RNG = np.random.default_rng(0)
KINDS = {
    "LSTM": lambda **k: nn.LSTM(2, 3, **k), "GRU": lambda **k: nn.GRU(2, 3, **k),
    "RNN": lambda **k: nn.RNN(2, 3, **k),
    "RNN relu": lambda **k: nn.RNN(2, 3, nonlinearity="relu", **k),
}  # fmt: skip
kinds = pytest.mark.parametrize("kind", KINDS)


def states_of(kind, batch, layers=1):
    state = make(RNG.normal(size=(layers, batch, 3)))
    return (state, make(RNG.normal(size=(layers, batch, 3)))) if kind == "LSTM" else state


def flat(states):
    return list(states) if isinstance(states, tuple) else [states]


@kinds
@pytest.mark.parametrize("given", [False, True])
def test_packed_sequences_end_where_they_end(kind, given):
    module = KINDS[kind](num_layers=2, bidirectional=True).double()
    samples = [RNG.normal(size=(length, 2)) for length in (2, 4, 1, 4)]
    packed = sequences.pack_sequence([make(x) for x in samples], enforce_sorted=False)
    states = states_of(kind, 4, 4)
    y, last = module(packed, states) if given else module(packed)
    zeros = [np.zeros((4, 4, 3))] * len(flat(states))
    start = [s.numpy() for s in flat(states)] if given else zeros
    weights = {key: value.numpy() for key, value in module.state_dict().items()}
    expected, ends = recurrent(kind, samples, start, weights, 2, True)
    for found, sample in zip(sequences.unpack_sequence(y), expected, strict=True):
        np.testing.assert_allclose(found.detach().numpy(), sample, rtol=1e-10)
    for found, end in zip(flat(last), ends, strict=True):
        np.testing.assert_allclose(found.detach().numpy(), end, rtol=1e-10)


@kinds
def test_states_without_a_batch(kind):
    module, x = KINDS[kind](batch_first=True).double(), make(RNG.normal(size=(4, 2)))
    states = states_of(kind, 1)
    one = tuple(s[:, 0] for s in flat(states)) if kind == "LSTM" else states[:, 0]
    y, last = module(x, one)
    batched, ends = module(x[None], states)
    assert np.array_equal(y.detach().numpy(), batched[0].detach().numpy())
    for found, end in zip(flat(last), flat(ends)):
        assert np.array_equal(found.detach().numpy(), end[:, 0].detach().numpy())


@kinds
def test_single_precision_keeps_its_digits(kind):
    module = KINDS[kind](num_layers=2)
    x = RNG.normal(size=(50, 8, 2))
    y, _ = module(make(x.astype(np.float32)))
    assert y.dtype == aino.float32
    exact, _ = module.double()(make(x))
    np.testing.assert_allclose(y.detach().numpy(), exact.detach().numpy(), atol=1e-6)


@kinds
@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_a_program_gives_what_eager_gives(kind, dropout):
    def step_of():
        aino.manual_seed(0)
        model = KINDS[kind](num_layers=2, dropout=dropout)
        optimizer = optim.Adam(model.parameters(), lr=0.01)

        def step(x):
            optimizer.zero_grad()
            loss = model(x)[0].square().sum()
            loss.backward()
            optimizer.step()
            return loss

        return step

    eager, compiled = step_of(), aino.compile(step_of(), fullgraph=True)
    batches = [make(x) for x in RNG.normal(size=(4, 3, 2, 2)).astype(np.float32)]
    losses = []
    for step in (eager, compiled):
        aino.manual_seed(1)
        losses.append([step(x).item() for x in batches])
    assert losses[0] == losses[1]


@kinds
@pytest.mark.filterwarnings("error")
def test_transforms_take_the_definition_and_go_over_no_samples(kind):
    module = KINDS[kind]().double()
    x = make(RNG.normal(size=(3, 4, 2, 2)))

    def loss(x):
        y, last = module(x)
        return y.square().sum() + flat(last)[-1].sum()

    slopes = [func.grad(loss)(sample).detach().numpy() for sample in x]
    found = func.vmap(func.grad(loss))(x).detach().numpy()
    np.testing.assert_allclose(found, np.stack(slopes), rtol=1e-9)
    moved = func.jvp(loss, (x[0],), (x[1],))[1].item()
    assert moved == pytest.approx((slopes[0] * x[1].numpy()).sum(), rel=1e-9)


@kinds
def test_outputs_may_be_written_over(kind):
    module, x = KINDS[kind]().double(), make(RNG.normal(size=(4, 2, 2)))
    grads = []
    for double in (lambda y: y * 2.0, lambda y: y.mul_(2.0)):
        double(module(x)[0]).square().sum().backward()
        grads.append([p.grad.numpy().copy() for p in module.parameters()])
        module.zero_grad()
    for one, other in zip(*grads):
        np.testing.assert_allclose(one, other, rtol=1e-12)


@kinds
def test_a_saved_program_needs_numpy_alone(kind, tmp_path):
    module, x = KINDS[kind](num_layers=2), aino.ones(3, 2, 2)
    run = aino.compile(lambda x: module(x)[0])
    with aino.no_grad():
        expected = run(x).numpy()
    run.save_source(tmp_path / "saved.py")
    names = runpy.run_path(str(tmp_path / "saved.py"))
    assert "from aino" not in (tmp_path / "saved.py").read_text(encoding="utf-8")
    assert np.array_equal(names["step"](x.numpy()), expected)


def test_dropout_stands_between_the_layers_in_training():
    aino.manual_seed(0)
    module, x = nn.GRU(2, 3, num_layers=2, dropout=0.9), make(np.ones((4, 2, 2), np.float32))
    assert not np.array_equal(module(x)[0].detach().numpy(), module(x)[0].detach().numpy())
    module.eval()
    assert np.array_equal(module(x)[0].detach().numpy(), module(x)[0].detach().numpy())
    with pytest.warns(UserWarning, match="dropout option adds dropout"):
        nn.GRU(2, 3, dropout=0.5)


def test_half_precision_goes_by_way_of_single():
    module = nn.LSTM(2, 3)
    x = make(RNG.normal(size=(4, 2, 2)).astype(np.float32))
    expected = module(x)[0].detach().numpy()
    y, (h, _) = module.half()(x.half())
    assert y.dtype == h.dtype == aino.float16
    np.testing.assert_allclose(y.detach().numpy(), expected, atol=3e-3)


def test_complex_numbers_go_through_a_layer():
    module = nn.RNN(2, 3, dtype=aino.complex128)
    x = make(RNG.normal(size=(3, 1, 2)) + 1j * RNG.normal(size=(3, 1, 2))).requires_grad_()
    assert aino.autograd.gradcheck(lambda x: module(x)[0], (x,))
    with pytest.raises(TypeError, match="order"):
        nn.RNN(2, 3, nonlinearity="relu", dtype=aino.complex128)(x)


def test_what_programs_touch():
    module = nn.LSTM(2, 3, num_layers=2, bidirectional=True, proj_size=1)
    module.flatten_parameters()
    names = [name for name, _ in module.named_parameters()]
    assert module._flat_weights_names == names
    assert all(a is b for a, b in zip(module._flat_weights, module.parameters(), strict=True))
    assert [len(weights) for weights in module.all_weights] == [5] * 4
    bound = 1.0 / np.sqrt(3)
    drawn = np.concatenate([p.detach().numpy().ravel() for p in module.parameters()])
    assert np.abs(drawn).max() <= bound
    assert np.abs(drawn).max() > 0.9 * bound
    for copied in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        x = aino.ones(2, 1, 2)
        assert np.array_equal(copied(x)[0].detach().numpy(), module(x)[0].detach().numpy())
    flags = module.named_parameters()
    for name, parameter in flags:
        if "bias" in name:
            parameter.data.fill_(0)
    weights = {key: value * 0.0 for key, value in module.state_dict().items()}
    assert not func.functional_call(module, weights, (aino.ones(2, 1, 2),))[0].any()


REFUSED = {
    "features": lambda m: m(aino.zeros(3, 2, 5)),
    "one dimension": lambda m: m(aino.zeros(3)),
    "another dtype": lambda m: m(aino.zeros(3, 2, 2).double()),
    "a state that is no pair": lambda m: m(aino.zeros(3, 2, 2), aino.zeros(1, 2, 3)),
    "a state of another batch": lambda m: m(aino.zeros(3, 2, 2), (aino.zeros(1, 1, 3),) * 2),
    "a state without batch": lambda m: m(aino.zeros(3, 2, 2), (aino.zeros(1, 3),) * 2),
    "no step": lambda m: m(aino.zeros(0, 2, 2)),
    "weights of other layers": lambda m: aino.lstm(
        aino.zeros(3, 2, 2), (aino.zeros(2, 2, 3),) * 2, m._flat_weights, True, 2, 0.0, False,
        False, False),
    "integers": lambda m: aino.gru(
        aino.ones(3, 1, 1, dtype=aino.int64), aino.ones(1, 1, 1, dtype=aino.int64),
        [aino.ones(3, 1, dtype=aino.int64)] * 2, False, 1, 0.0, False, False, False),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_what_a_layer_refuses(what):
    with pytest.raises(AinoError):
        REFUSED[what](nn.LSTM(2, 3))


def test_the_two_ways_to_call_a_layer():
    module, x = nn.GRU(2, 3), aino.ones(4, 2, 2)
    state, weights = aino.zeros(1, 2, 3), module._flat_weights
    expected = module(x)[0].detach().numpy()
    settings = {"has_biases": True, "num_layers": 1, "dropout": 0.0, "train": False}
    y, _ = aino.gru(x, state, params=weights, **settings, bidirectional=False, batch_first=False)
    assert np.array_equal(y.detach().numpy(), expected)
    y, _ = aino.gru(
        data=x.reshape(8, 2), batch_sizes=aino.tensor([2] * 4), hx=state, params=weights,
        **settings, bidirectional=False,
    )  # fmt: skip
    assert np.array_equal(y.detach().numpy(), expected.reshape(8, 3))
    with pytest.raises(TypeError, match="batch_first"):
        aino.gru(x, state, weights, True, 1, 0.0, False, False)
    with pytest.raises(TypeError, match="colour"):
        aino.gru(x, state, weights, True, 1, 0.0, False, False, False, colour=1)


# Sequences


def test_padding_and_packing_are_undone():
    samples = [make(RNG.normal(size=(length, 2))) for length in (3, 1, 4)]
    for batch_first in (False, True):
        padded = sequences.pad_sequence(samples, batch_first, 7.0)
        lengths = aino.tensor([3, 1, 4])
        packed = sequences.pack_padded_sequence(padded, lengths, batch_first, False)
        assert packed.batch_sizes.tolist() == [3, 2, 2, 1]
        again, counts = sequences.pad_packed_sequence(packed, batch_first, 7.0)
        assert np.array_equal(again.numpy(), padded.numpy())
        assert counts.tolist() == [3, 1, 4]
        for found in (
            sequences.unpad_sequence(padded, lengths, batch_first),
            sequences.unpack_sequence(packed),
        ):
            assert all(np.array_equal(a.numpy(), b.numpy()) for a, b in zip(found, samples))
    assert sequences.pad_packed_sequence(packed, total_length=6)[0].shape == (6, 3, 2)
    left = sequences.pad_sequence(samples, padding_side="left")
    assert np.array_equal(left[-1].numpy(), np.stack([x[-1].numpy() for x in samples]))


def test_gradients_go_through_packing():
    x = make(RNG.normal(size=(3, 2, 2))).requires_grad_()

    def there_and_back(x):
        packed = sequences.pack_padded_sequence(x, [3, 1])
        return sequences.pad_packed_sequence(packed)[0]

    assert aino.autograd.gradcheck(there_and_back, (x,))


def test_a_packed_sequence_is_a_tuple_of_its_own():
    packed = sequences.pack_sequence([aino.ones(2), aino.ones(3)], enforce_sorted=False)
    assert packed.double().data.dtype == aino.float64
    assert packed.to(aino.float64).sorted_indices is packed.sorted_indices
    assert packed.float() is packed
    assert not packed.is_cuda
    assert packed.unsorted_indices.tolist() == [1, 0]
    for copied in (copy.deepcopy(packed), pickle.loads(pickle.dumps(packed))):
        assert type(copied) is type(packed)
        assert copied.sorted_indices.tolist() == [1, 0]
    assert sequences.PackedSequence((packed.data, packed.batch_sizes)).sorted_indices is None


@pytest.mark.parametrize(
    ("lengths", "shape"), [([1, 2], (2, 2)), ([2, 0], (2, 2)), ([3, 1], (2, 2)), ([2], (2, 2)),
                           ([1, 1], (0, 2)), ([1], (1,))],
)  # fmt: skip
def test_lengths_that_do_not_fit(lengths, shape):
    with pytest.raises(AinoError):
        sequences.pack_padded_sequence(aino.zeros(*shape), lengths)


def test_sequences_that_do_not_fit():
    for call in (
        lambda: sequences.pad_sequence([]),
        lambda: sequences.pad_sequence(3),
        lambda: sequences.pad_sequence([aino.ones(2, 3), aino.ones(1, 2)]),
        lambda: sequences.pad_sequence([aino.ones(2)], padding_side="top"),
        lambda: sequences.unpad_sequence(aino.ones(2, 3), aino.tensor([1])),
        lambda: sequences.pad_packed_sequence(
            sequences.pack_sequence([aino.ones(2)]), total_length=1
        ),
        lambda: sequences.PackedSequence(aino.ones(2)),
    ):
        with pytest.raises(AinoError):
            call()


def test_a_program_packs_by_lengths_that_never_change():
    module = nn.GRU(2, 3)

    def run(x):
        return module(sequences.pack_padded_sequence(x, [3, 1]))[1]

    x = aino.ones(3, 2, 2)
    found = aino.compile(run, fullgraph=True)(x)
    assert np.array_equal(found.detach().numpy(), run(x).detach().numpy())
    with pytest.raises(CompileError, match="lengths that never change"):
        aino.compile(lambda x, n: sequences.pack_padded_sequence(x, n).data, fullgraph=True)(
            x, aino.tensor([3, 1])
        )
