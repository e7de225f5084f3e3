"""Models that no file can hold are refused by their path, and only those (DIT.md, line 3)."""

import functools
import math

import numpy as np
import pytest

import aino.dit as dit
from aino.errors import DitError
from tests.dit import fakes
from tests.dit.fakes import Chain, Drop, Keeps, Line, Net
from tests.dit.looks import again


def refused(model, tmp_path, match):
    path = tmp_path / "m.dit"
    with pytest.raises(DitError, match=match):
        dit.save({"nets": [model]}, path)
    assert list(tmp_path.iterdir()) == []


def test_a_lambda_is_refused_by_its_path(tmp_path):
    refused(Net(2, act=lambda x: x), tmp_path, r"m\.dit: nets\.0\.act is code \(.*<lambda>\)")
    net = Net(2)
    net.last.act = lambda x: x
    refused(net, tmp_path, r"m\.dit: nets\.0\.last\.act is code \(.*<lambda>\)")
    refused(Chain(Drop(), net), tmp_path, r"nets\.0\.1\.last\.act is code")


def test_nan_in_the_configuration_is_refused_by_its_path(tmp_path):
    refused(Drop(math.nan), tmp_path, r"nets\.0\.rate is NaN")
    refused(Keeps([1, {"a": (math.nan,)}]), tmp_path, r"nets\.0\.one is NaN")
    refused(Keeps(more=math.nan), tmp_path, r"nets\.0\.more is NaN")


def test_a_class_that_is_not_registered_is_refused(tmp_path):
    class Child(Line):
        pass

    refused(Child(1, 2), tmp_path, r"nets\.0 is a Child, a class not registered: .*@aino.register")
    refused(Chain(Child(1, 2)), tmp_path, r"nets\.0\.0 is a Child")


def test_an_array_of_objects_in_a_model_is_refused(tmp_path):
    net = Net(2)
    net.first.names = np.array(["a", None], object)
    refused(net, tmp_path, r"nets\.0\.first\.names holds objects, which cannot be stored")


def test_a_class_whose_constructor_fails_now_is_refused(tmp_path):
    @dit.register("test.Once")
    class Once(fakes.Fake):
        made = False

        def __init__(self):
            if Once.made:
                raise RuntimeError("only once")
            Once.made = True

    refused(Once(), tmp_path, "test.Once cannot be made as described: RuntimeError: only once")


def test_a_class_that_cannot_take_its_state_back_is_refused(tmp_path):
    @dit.register("test.Deaf")
    class Deaf(Line):
        def load_state_dict(self, state, strict=True, assign=False):
            pass

    model = Deaf(2, 2)
    model.weight.array[0] = 5
    refused(model, tmp_path, r"nets\.0\.weight would not come back as it is")


def test_an_attribute_that_cannot_be_compared_is_refused(tmp_path):
    net = Net(2)
    net.generator = np.random.default_rng(0)
    refused(net, tmp_path, r"nets\.0\.generator is of type Generator")


# --- attributes that need no storing -------------------------------------------------------------


class Plain:
    def __init__(self, value):
        self.value = value


def doubled(x):
    return 2 * x


@dit.register("test.Helped")
class Helped(fakes.Fake):
    """Makes attributes that no file can hold, and that are always the same."""

    def __init__(self, factor):
        self.closure = lambda x: factor * x
        self.function = doubled
        self.partial = functools.partial(doubled, factor)
        self.method = self.helper
        self.plain = Plain([factor, Plain(None)])
        self.kind = Plain
        self.set = {factor}
        self.me = [self]

    def helper(self):
        return self


def test_what_the_constructor_makes_again_needs_no_storing(tmp_path):
    back = again(Helped(3), tmp_path)
    assert back.closure(2) == 6
    assert back.partial() == 6
    assert back.method() is back
    assert back.plain.value[0] == 3


@pytest.mark.parametrize(
    ("alter", "name"),
    [
        (lambda m: setattr(m, "closure", Helped(4).closure), "closure"),
        (lambda m: setattr(m, "function", math.sin), "function"),
        (lambda m: setattr(m, "partial", functools.partial(doubled, 4)), "partial"),
        (lambda m: setattr(m.plain, "value", 4), "plain"),
        (lambda m: setattr(m.plain.value[1], "value", 4), "plain"),
        (lambda m: setattr(m, "kind", Net), "kind"),
        (lambda m: m.set.add(5), "set"),
    ],
)
def test_what_was_changed_there_is_noticed(tmp_path, alter, name):
    model = Helped(3)
    alter(model)
    refused(model, tmp_path, rf"nets\.0\.{name} ")
