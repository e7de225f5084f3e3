"""The arguments of a call, compared in C with those that a program was made for."""

import gc
import weakref

import numpy as np
import pytest

import aino
from aino import nn
from aino.autograd.tensor import Tensor
from aino.compiler.guards.sharing import apart_from
from aino.compiler.tracing.lifting import SLOTS

native = pytest.importorskip("aino_native")

ROOT = np.zeros((4, 6))
FLOAT = np.dtype(np.float64)


def row(item, rigid=True, first_array=0, first_object=0):
    """Return how an argument is described that is like the item."""
    tensor = isinstance(item, Tensor)
    array = item.array if tensor else item
    slots = (SLOTS["array"], SLOTS["node"]) if tensor else (None, None)
    return (type(item), *slots, array, array.dtype, rigid, first_array, first_object)


def opened(rows, *args, roots=(ROOT,), **kwargs):
    return native.Arguments(list(rows), list(roots), apart_from).open(args, kwargs)


def view(shape=(2, 3)):
    return np.zeros((9, 9))[: shape[0], : shape[1]]


LIKE = np.zeros((2, 3))
#: An argument, and whether a program for a float64 matrix of two rows and three columns takes it.
GIVEN = {
    "the same form": (np.ones((2, 3)), True),
    "another shape": (np.ones((3, 2)), False),
    "another rank": (np.ones((2, 3, 1)), False),
    "a number": (np.ones(()), False),
    "another dtype": (np.ones((2, 3), np.float32), False),
    "another byte order": (np.ones((2, 3), ">f8"), False),
    "by columns": (np.ones((3, 2)).T, False),
    "a view of an array": (np.ones((4, 3))[::2].copy()[:], True),
    "in pieces": (view(), False),
    "a list": ([[1.0, 2.0, 3.0]] * 2, False),
    "a subclass": (np.ones((2, 3)).view(np.recarray), False),
    "None": (None, False),
    "what is written": (ROOT[:2, :3].base, False),
    "in what is written": (ROOT.reshape(-1)[:6].reshape(2, 3), False),
    "memory of others": (np.frombuffer(bytearray(48)).reshape(2, 3), True),
}


@pytest.mark.parametrize("what", GIVEN)
@pytest.mark.parametrize("wrap", [aino.from_numpy, None])
def test_an_argument_is_taken_in_its_form_alone(what, wrap):
    given, taken = GIVEN[what]
    if wrap is not None and type(given) is np.ndarray and given.dtype.isnative:
        given = wrap(given)
    like = LIKE if wrap is None else wrap(LIKE)
    found = opened([row(like)], given)
    if not taken:
        assert found is None
    else:
        (array,) = found
        assert array is (given if wrap is None else given.array)


def test_the_very_array_that_is_written_is_not_taken():
    written = np.zeros((2, 3))
    assert opened([row(LIKE)], written) is not None
    assert opened([row(LIKE)], written, roots=[ROOT, written]) is None


def test_strides_count_where_they_are_said_to():
    assert opened([row(LIKE, rigid=False)], view()) is not None
    assert opened([row(LIKE, rigid=True)], view()) is None


def test_a_tensor_with_a_history_or_of_another_class_is_not_taken():
    like = row(aino.from_numpy(LIKE))
    assert opened([like], aino.from_numpy(LIKE)) is not None
    assert opened([like], aino.from_numpy(LIKE).requires_grad_()) is None
    assert opened([like], aino.from_numpy(LIKE).requires_grad_() * 2.0) is None
    assert opened([like], nn.Parameter(aino.from_numpy(LIKE), requires_grad=False)) is None
    assert opened([like], LIKE) is None


def test_the_number_of_arguments_counts_and_keywords_are_not_taken():
    assert opened([row(LIKE)]) is None
    assert opened([row(LIKE)], LIKE, LIKE) is None
    assert opened([row(LIKE)], LIKE, x=LIKE) is None
    assert opened([]) == ()
    with pytest.raises(TypeError, match="arguments and the keywords"):
        native.Arguments([row(LIKE)], [], apart_from).open((LIKE,))


def test_who_is_the_same_counts():
    a, b = np.ones((2, 3)), np.ones((2, 3))
    apart, same = [row(a), row(b, True, 1, 1)], [row(a), row(a)]
    assert opened(apart, a, b) is not None
    assert opened(apart, a, a) is None
    assert opened(same, b, b) is not None
    assert opened(same, a, b) is None
    s, t = aino.from_numpy(a), aino.from_numpy(b)
    one_array = [row(s), row(s, True, 0, 1)]  # two tensors of one array
    assert opened(one_array, s, aino.from_numpy(a)) is not None
    assert opened(one_array, s, s) is None
    assert opened(one_array, s, t) is None


def test_memory_whose_owner_is_no_array_is_looked_at():
    memory = bytearray(ROOT.nbytes)
    written = np.frombuffer(memory).reshape(ROOT.shape)
    assert opened([row(LIKE)], np.frombuffer(bytearray(48)).reshape(2, 3), roots=[written])
    inside = np.frombuffer(memory, count=6).reshape(2, 3)
    assert opened([row(LIKE)], inside, roots=[written]) is None
    own = np.zeros(24)  # one of the two owns the memory, the other has it by a buffer
    lent = np.frombuffer(memoryview(own)).reshape(4, 6)
    assert opened([row(LIKE)], own[:6].reshape(2, 3), roots=[lent]) is None
    assert opened([row(LIKE)], lent.reshape(-1)[:6].reshape(2, 3), roots=[own]) is None
    with pytest.raises(ZeroDivisionError):  # what the question raises is passed on
        native.Arguments([row(LIKE)], [written], lambda *_: 1 / 0).open((inside,), {})


@pytest.mark.parametrize(
    "arguments",
    [
        (), ([], []), ((), [], None), ([1], [], None), ([(1, 2)], [], None),
        ([(np.ndarray, None, None, LIKE)], [], None),
        ([(np.ndarray, SLOTS["array"], SLOTS["node"], LIKE, FLOAT, True, 0, 0)], [], None),
        ([(Tensor, SLOTS["array"], "node", LIKE, FLOAT, True, 0, 0)], [], None),
        ([(Tensor, SLOTS["extras"], SLOTS["node"], LIKE, FLOAT, True, 0, 0)], [], None),
        ([(1, None, None, LIKE, FLOAT, True, 0, 0)], [], None),
        ([(np.ndarray, None, None, [1.0], FLOAT, True, 0, 0)], [], None),
    ],
)  # fmt: skip
def test_what_describes_no_argument_is_refused(arguments):
    with pytest.raises(TypeError):
        native.Arguments(*arguments)


def test_more_than_six_are_refused():
    with pytest.raises(ValueError, match="at most 6"):
        native.Arguments([row(LIKE)] * 7, [], apart_from)


def test_it_is_freed_with_what_it_holds():
    class Question:
        def __call__(self, *_):
            return True

    question = Question()
    known = weakref.ref(question)
    question.arguments = native.Arguments([row(LIKE)], [ROOT], question)  # a circle
    del question
    gc.collect()
    assert known() is None


def trained(backend, labels):
    aino.manual_seed(0)
    network = nn.Linear(4, 3)
    optimizer = aino.optim.SGD(network.parameters(), lr=0.1)
    criterion = nn.CrossEntropyLoss()

    @aino.compile(backend=backend)
    def step(x, y):
        optimizer.zero_grad()
        loss = criterion(network(x), y)
        loss.backward()
        optimizer.step()
        return loss

    x, losses = aino.randn(5, 4), []
    for y in labels:
        try:
            losses.append(step(x, aino.tensor(y)).item())
        except IndexError as error:
            losses.append(type(error))
    return losses, [p.array.tobytes() for p in network.parameters()], step


@pytest.mark.parametrize("wrong", [3, -1, -100, 2**40])
def test_labels_that_are_none_of_the_classes_go_the_way_of_the_function(wrong):
    good = [[0, 1, 2, 0, 1], [2, 2, 1, 0, 0]]
    labels = [good[0], good[1], good[0], [0, 1, wrong, 0, 1], good[1], good[0]]
    losses, parameters, step = trained("native", labels)
    expected, expected_parameters, _ = trained("eager", labels)
    assert losses == expected
    assert parameters == expected_parameters
    assert '("class_places"' in step.code or wrong == -100
