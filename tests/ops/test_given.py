"""What is given where a tensor is wanted: taken as PyTorch takes it, or refused in words."""

import inspect
from functools import partial

import numpy as np
import pytest

import aino
from aino import nn
from aino.ops.tensor.methods import FUNCTIONS

pytestmark = pytest.mark.filterwarnings("ignore")
F = nn.functional


class Foreign:
    """Another library's tensor: it has a shape and turns into an array, and is no number."""

    shape = (2, 2)
    dtype = "foreign.float32"
    ndim = 2

    def __array__(self, dtype=None, copy=None):
        return np.ones((2, 2), dtype)


GIVEN = {
    "list": [[1.0, 2.0], [3.0, 4.0]],
    "array": np.array([[1.0, 2.0], [3.0, 4.0]], np.float32),
    "none": None,
    "text": "text",
    "foreign": Foreign(),
}

#: The names that PyTorch gives to tensors, among the parameters of its functions.
TENSORS = """
    input other tensor tensors index indices mask src source mat mat1 mat2 vec vec1 vec2
    batch1 batch2 tensor1 tensor2 weight target A B a b x x1 x2 y x_ sorted_sequence
    boundaries end values logits condition weights fweights aweights input1 input2 anchor
    positive negative real imag abs angle mean std prob
"""
#: What stands for the arguments that are no tensors.
OTHERS = {
    "dim": 0, "dims": 0, "dim0": 0, "dim1": 0, "axis0": 0, "axis1": 1, "shape": (4,),
    "size": (2, 2),
    "pad": (1, 1), "k": 1, "n": 1, "p": 1, "chunks": 2, "start": 0, "length": 1, "end": 1.0,
    "source": 0, "destination": 0, "shifts": 1, "repeats": 2, "sizes": (1, 2), "num_samples": 1,
    "indices_or_sections": 2, "split_size_or_sections": 1, "split_sizes": (1, 1), "reduce": "sum",
    "value": 1.0, "min": 0.0, "max": 1.0, "fill_value": 1.0, "low": 0, "high": 3, "q": 0.5,
    "normalized_shape": (2,), "num_classes": 5, "exponent": 2.0, "threshold": 0.0,
    "axis": 0, "args": (), "negative_slope": 0.1, "count": 2,
}  # fmt: skip
#: Functions that make tensors out of anything, or ask what it is.
MAKERS = """
    tensor as_tensor asarray from_numpy frombuffer from_dlpack scalar_tensor is_tensor full
    set_printoptions printoptions get_printoptions manual_seed seed initial_seed get_rng_state
    set_rng_state arange range linspace logspace eye zeros ones empty rand randn randint
    randperm tril_indices triu_indices broadcast_shapes numel
"""


def namespaces():
    spaces = {"aino": FUNCTIONS, "aino.linalg": aino.linalg.__all__}
    spaces["F"] = [
        name for name in dir(F) if inspect.isfunction(getattr(F, name)) and not name.startswith("_")
    ]
    for space, names in spaces.items():
        module = {"aino": aino, "aino.linalg": aino.linalg, "F": F}[space]
        for name in sorted(names):
            function = getattr(module, name)
            if name not in MAKERS.split() and inspect.isfunction(function):
                yield f"{space}.{name}", function
    for name in sorted(dir(aino.Tensor)):
        function = getattr(aino.Tensor, name)
        if not name.startswith("_") and inspect.isfunction(function):
            yield f"Tensor.{name}", function


def arguments_of(name, function):
    """Return stand-ins for the required arguments, and which of them are tensors."""
    arguments, places = [], []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind in (parameter.KEYWORD_ONLY, parameter.VAR_KEYWORD):
            continue
        is_tensor = parameter.name in TENSORS.split()
        if parameter.name in ("source", "end", "negative", "positive") and not name.startswith(
            "F."
        ):
            is_tensor = parameter.name == "source" and "axis" not in name and "dim" not in name
        if parameter.name == "tensors" or parameter.kind is parameter.VAR_POSITIONAL:
            if parameter.kind is parameter.VAR_POSITIONAL:
                if parameter.name in ("tensors", "matrices"):
                    places += [len(arguments)]
                    arguments += [aino.ones(2, 2), aino.ones(2, 2)]
                continue
            places.append(len(arguments))
            arguments.append([aino.ones(2, 2), aino.ones(2, 2)])
        elif is_tensor and (parameter.default is parameter.empty or parameter.name == "weight"):
            places.append(len(arguments))
            arguments.append(aino.ones(2, 2))
        elif parameter.default is parameter.empty:
            arguments.append(OTHERS.get(parameter.name, 1))
        else:
            break
    return arguments, places


def cases():
    for name, function in namespaces():
        arguments, places = arguments_of(name, function)
        for place in places:
            if name.startswith("Tensor.") and place == 0:
                continue
            yield pytest.param(function, arguments, place, id=f"{name}-{place}")


INTERNAL = ("has no attribute", "NoneType' object", "not subscriptable", "unsupported operand")


def check(call, kind=""):
    """What gives a result has taken what it was given, as NumPy would; else words are wanted."""
    try:
        call()
    except (TypeError, ValueError, RuntimeError, IndexError) as error:
        message = str(error)
    else:
        message = ""
    assert not any(words in message for words in INTERNAL), f"{kind}: {message}"


@pytest.mark.parametrize(("function", "arguments", "place"), list(cases()))
def test_in_the_place_of_a_tensor(function, arguments, place):
    for kind in GIVEN:
        check(partial(function, *arguments[:place], GIVEN[kind], *arguments[place + 1 :]), kind)


MODULES = {
    "Linear": nn.Linear(2, 2), "Embedding": nn.Embedding(3, 2), "ReLU": nn.ReLU(),
    "LayerNorm": nn.LayerNorm(2), "Dropout": nn.Dropout(), "Softmax": nn.Softmax(0),
    "Sequential": nn.Sequential(nn.Linear(2, 2), nn.Tanh()), "Layer": nn.Layer(2, 2),
    "Flatten": nn.Flatten(), "GELU": nn.GELU(), "PReLU": nn.PReLU(),
}  # fmt: skip
LOSSES = {
    name: getattr(nn, name)()
    for name in ("MSELoss", "L1Loss", "CrossEntropyLoss", "BCELoss", "NLLLoss", "SmoothL1Loss")
}


@pytest.mark.parametrize("kind", GIVEN)
@pytest.mark.parametrize("module", MODULES.values(), ids=MODULES)
def test_a_module(module, kind):
    check(lambda: module(GIVEN[kind]), kind)


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize("kind", GIVEN)
@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
def test_a_loss(loss, kind, place):
    arguments = [aino.ones(2, 2), aino.ones(2, 2)]
    arguments[place] = GIVEN[kind]
    check(lambda: loss(*arguments))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: aino.cat([[1.0], [2.0]]), "cat takes tensors; element 0 of argument 'tensors' is"),
        (lambda: aino.stack([np.ones(2)]), "is a NumPy array: aino.from_numpy"),
        (lambda: aino.gather(aino.ones(2), 0, [1]), "argument 'index' is a list: aino.tensor"),
        (lambda: aino.ones(2).masked_fill(None, 1.0), "argument 'mask' is None"),
        (lambda: aino.exp([1.0]), "exp takes tensors; argument 'input' is a list"),
        (lambda: aino.sum([1.0]), "sum takes tensors; argument 'input' is a list"),
        (lambda: F.mse_loss(aino.ones(1), [1.0]), "argument 'target' is a list"),
        (lambda: aino.cat(aino.ones(2), aino.ones(2)), "cat takes a list of tensors, cat([a, b])"),
        (lambda: aino.stack(aino.ones(2)), "stack takes a list of tensors"),
        (lambda: aino.where(aino.ones(1) > 0, aino.ones(1)), "with both input and other"),
        (lambda: aino.ones(1).requires_grad_("yes"), "requires_grad is True or False, not 'yes'"),
        (lambda: nn.Embedding(3, 2)([1, 2]), "is a list: aino.tensor(it) makes it a tensor"),
    ],
)
def test_the_words(call, words):
    with pytest.raises(TypeError) as caught:
        call()
    assert words in str(caught.value)


def test_an_attribute_error_of_the_user_stays():
    class Broken(nn.Module):
        def forward(self, x):
            return x.nonsense

    with pytest.raises(AttributeError, match="nonsense"):
        Broken()([1.0])


def test_one_shape_is_not_said_to_fit_no_other():
    with pytest.raises(
        aino.errors.ShapeError, match=r"^reshape: .* \(the input has shape \(2,\)\)"
    ):
        aino.ones(2).reshape(3)
