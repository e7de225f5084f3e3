"""Tensors as text: the strings are PyTorch's own, with ``aino`` where it prints ``torch``."""

import math

import numpy as np
import pytest

import aino

inf, nan = math.inf, math.nan

# The expression, and what it prints.
TEXTS = [
    ("aino.tensor(2.0)", "tensor(2.)"),
    ("aino.tensor(3)", "tensor(3)"),
    ("aino.tensor(True)", "tensor(True)"),
    ("aino.tensor(1 + 2j)", "tensor(1.+2.j)"),
    ("aino.tensor(0.1)", "tensor(0.1000)"),
    ("aino.tensor(1e10)", "tensor(1.0000e+10)"),
    ("aino.tensor(1e-5)", "tensor(1.0000e-05)"),
    ("aino.tensor(inf)", "tensor(inf)"),
    ("aino.tensor(nan)", "tensor(nan)"),
    ("aino.tensor(-0.0)", "tensor(-0.)"),
    ("aino.tensor(2.5, dtype=aino.float64)", "tensor(2.5000, dtype=aino.float64)"),
    ("aino.tensor(2, dtype=aino.int32)", "tensor(2, dtype=aino.int32)"),
    ("aino.tensor([1.0, 2.0])", "tensor([1., 2.])"),
    ("aino.tensor([1.0, 2.5])", "tensor([1.0000, 2.5000])"),
    ("aino.tensor([1, -20, 300])", "tensor([  1, -20, 300])"),
    ("aino.tensor([True, False])", "tensor([ True, False])"),
    ("aino.tensor([1.0, 2.0], requires_grad=True)", "tensor([1., 2.], requires_grad=True)"),
    (
        "aino.tensor([1.0, 2.0], dtype=aino.float64, requires_grad=True)",
        "tensor([1., 2.], dtype=aino.float64, requires_grad=True)",
    ),
    ("aino.tensor([0.5, 123.456])", "tensor([  0.5000, 123.4560])"),
    ("aino.tensor([0.0001, 0.5])", "tensor([1.0000e-04, 5.0000e-01])"),
    ("aino.tensor([0.00001, 0.5])", "tensor([1.0000e-05, 5.0000e-01])"),
    ("aino.tensor([1.0, 1001.5])", "tensor([1.0000e+00, 1.0015e+03])"),
    ("aino.tensor([1.0, 999.5])", "tensor([  1.0000, 999.5000])"),
    ("aino.tensor([1.0, 100000000.0])", "tensor([1.0000e+00, 1.0000e+08])"),
    ("aino.tensor([2.0, 200000001.0])", "tensor([2.0000e+00, 2.0000e+08])"),
    ("aino.tensor([1.0, 2000.0])", "tensor([1.0000e+00, 2.0000e+03])"),
    ("aino.tensor([1.0, inf, -inf, nan])", "tensor([1., inf, -inf, nan])"),
    ("aino.tensor([1.5, inf, -inf, nan])", "tensor([1.5000,    inf,   -inf,    nan])"),
    ("aino.tensor([inf, nan])", "tensor([inf, nan])"),
    ("aino.tensor([1e-10, nan])", "tensor([1.0000e-10,        nan])"),
    ("aino.tensor([0.0, -0.0])", "tensor([0., -0.])"),
    ("aino.tensor([1e38, 1e-38])", "tensor([1.0000e+38, 1.0000e-38])"),
    ("aino.tensor([-1.0, 10.0, -100.0])", "tensor([  -1.,   10., -100.])"),
    ("aino.tensor([1e20, -3e19])", "tensor([ 1.0000e+20, -3.0000e+19])"),
    ("aino.tensor([1.0, 2.0], dtype=aino.float16)", "tensor([1., 2.], dtype=aino.float16)"),
    (
        "aino.tensor([0.1, 65504.0], dtype=aino.float16)",
        "tensor([9.9976e-02, 6.5504e+04], dtype=aino.float16)",
    ),
    ("aino.tensor([0.1, 0.2], dtype=aino.float64)", "tensor([0.1000, 0.2000], dtype=aino.float64)"),
    ("aino.tensor([1, 2], dtype=aino.uint8)", "tensor([1, 2], dtype=aino.uint8)"),
    ("aino.tensor([-1, 2], dtype=aino.int8)", "tensor([-1,  2], dtype=aino.int8)"),
    ("aino.tensor([1, 2], dtype=aino.int16)", "tensor([1, 2], dtype=aino.int16)"),
    ("aino.tensor([1, 2], dtype=aino.int32)", "tensor([1, 2], dtype=aino.int32)"),
    ("aino.tensor([1 + 2j, -1.5j])", "tensor([1.+2.0000j, -0.-1.5000j])"),
    ("aino.tensor([1e-6 + 2j, 1000 - 1j])", "tensor([1.0000e-06+2.j, 1.0000e+03-1.j])"),
    ("aino.tensor([complex(nan, -inf), complex(1, -0.0)])", "tensor([nan-infj, 1.-0.j])"),
    ("aino.tensor([1j], dtype=aino.complex128)", "tensor([0.+1.j], dtype=aino.complex128)"),
    ("aino.tensor([])", "tensor([])"),
    ("aino.zeros(0, 3)", "tensor([], size=(0, 3))"),
    ("aino.zeros(2, 0)", "tensor([], size=(2, 0))"),
    ("aino.zeros(0, dtype=aino.int64)", "tensor([], dtype=aino.int64)"),
    ("aino.zeros(0, 3, dtype=aino.bool)", "tensor([], size=(0, 3), dtype=aino.bool)"),
    ("aino.zeros(0, dtype=aino.float64)", "tensor([], dtype=aino.float64)"),
    ("aino.zeros(0, 2, requires_grad=True)", "tensor([], size=(0, 2), requires_grad=True)"),
    (
        "aino.tensor([[1.0, -2.0], [3.25, 4.0]])",
        """\
tensor([[ 1.0000, -2.0000],
        [ 3.2500,  4.0000]])""",
    ),
    (
        "aino.tensor([[1, 2], [3, 4]])",
        """\
tensor([[1, 2],
        [3, 4]])""",
    ),
    ("aino.tensor([[1.0]])", "tensor([[1.]])"),
    (
        "aino.tensor([[[1.0, 2.0]], [[3.0, 4.0]]])",
        """\
tensor([[[1., 2.]],

        [[3., 4.]]])""",
    ),
    ("aino.tensor([[[[1]]]])", "tensor([[[[1]]]])"),
    (
        "aino.ones(2, 2, 2, 2)",
        """\
tensor([[[[1., 1.],
          [1., 1.]],

         [[1., 1.],
          [1., 1.]]],


        [[[1., 1.],
          [1., 1.]],

         [[1., 1.],
          [1., 1.]]]])""",
    ),
    (
        "aino.eye(3)",
        """\
tensor([[1., 0., 0.],
        [0., 1., 0.],
        [0., 0., 1.]])""",
    ),
    (
        "aino.arange(30)",
        """\
tensor([ 0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13, 14, 15, 16, 17,
        18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29])""",
    ),
    (
        "aino.arange(30) / 7",
        """\
tensor([0.0000, 0.1429, 0.2857, 0.4286, 0.5714, 0.7143, 0.8571, 1.0000, 1.1429,
        1.2857, 1.4286, 1.5714, 1.7143, 1.8571, 2.0000, 2.1429, 2.2857, 2.4286,
        2.5714, 2.7143, 2.8571, 3.0000, 3.1429, 3.2857, 3.4286, 3.5714, 3.7143,
        3.8571, 4.0000, 4.1429])""",
    ),
    (
        "aino.arange(12.0).reshape(2, 6) * 1e5",
        """\
tensor([[      0.,  100000.,  200000.,  300000.,  400000.,  500000.],
        [ 600000.,  700000.,  800000.,  900000., 1000000., 1100000.]])""",
    ),
    (
        "aino.arange(26).reshape(2, 13) * 1000003",
        """\
tensor([[       0,  1000003,  2000006,  3000009,  4000012,  5000015,  6000018,
          7000021,  8000024,  9000027, 10000030, 11000033, 12000036],
        [13000039, 14000042, 15000045, 16000048, 17000051, 18000054, 19000057,
         20000060, 21000063, 22000066, 23000069, 24000072, 25000075]])""",
    ),
    ("aino.arange(1001)", "tensor([   0,    1,    2,  ...,  998,  999, 1000])"),
    ("aino.arange(1001.0)", "tensor([   0.,    1.,    2.,  ...,  998.,  999., 1000.])"),
    ("aino.arange(1000)[:7]", "tensor([0, 1, 2, 3, 4, 5, 6])"),
    (
        "aino.arange(2000).reshape(2, 1000)",
        """\
tensor([[   0,    1,    2,  ...,  997,  998,  999],
        [1000, 1001, 1002,  ..., 1997, 1998, 1999]])""",
    ),
    (
        "aino.arange(1200).reshape(30, 40)",
        """\
tensor([[   0,    1,    2,  ...,   37,   38,   39],
        [  40,   41,   42,  ...,   77,   78,   79],
        [  80,   81,   82,  ...,  117,  118,  119],
        ...,
        [1080, 1081, 1082,  ..., 1117, 1118, 1119],
        [1120, 1121, 1122,  ..., 1157, 1158, 1159],
        [1160, 1161, 1162,  ..., 1197, 1198, 1199]])""",
    ),
    (
        "aino.arange(3000).reshape(1000, 3) / 3",
        """\
tensor([[0.0000e+00, 3.3333e-01, 6.6667e-01],
        [1.0000e+00, 1.3333e+00, 1.6667e+00],
        [2.0000e+00, 2.3333e+00, 2.6667e+00],
        ...,
        [9.9700e+02, 9.9733e+02, 9.9767e+02],
        [9.9800e+02, 9.9833e+02, 9.9867e+02],
        [9.9900e+02, 9.9933e+02, 9.9967e+02]])""",
    ),
    (
        "aino.arange(1100).reshape(10, 11, 10)",
        """\
tensor([[[   0,    1,    2,  ...,    7,    8,    9],
         [  10,   11,   12,  ...,   17,   18,   19],
         [  20,   21,   22,  ...,   27,   28,   29],
         ...,
         [  80,   81,   82,  ...,   87,   88,   89],
         [  90,   91,   92,  ...,   97,   98,   99],
         [ 100,  101,  102,  ...,  107,  108,  109]],

        [[ 110,  111,  112,  ...,  117,  118,  119],
         [ 120,  121,  122,  ...,  127,  128,  129],
         [ 130,  131,  132,  ...,  137,  138,  139],
         ...,
         [ 190,  191,  192,  ...,  197,  198,  199],
         [ 200,  201,  202,  ...,  207,  208,  209],
         [ 210,  211,  212,  ...,  217,  218,  219]],

        [[ 220,  221,  222,  ...,  227,  228,  229],
         [ 230,  231,  232,  ...,  237,  238,  239],
         [ 240,  241,  242,  ...,  247,  248,  249],
         ...,
         [ 300,  301,  302,  ...,  307,  308,  309],
         [ 310,  311,  312,  ...,  317,  318,  319],
         [ 320,  321,  322,  ...,  327,  328,  329]],

        ...,

        [[ 770,  771,  772,  ...,  777,  778,  779],
         [ 780,  781,  782,  ...,  787,  788,  789],
         [ 790,  791,  792,  ...,  797,  798,  799],
         ...,
         [ 850,  851,  852,  ...,  857,  858,  859],
         [ 860,  861,  862,  ...,  867,  868,  869],
         [ 870,  871,  872,  ...,  877,  878,  879]],

        [[ 880,  881,  882,  ...,  887,  888,  889],
         [ 890,  891,  892,  ...,  897,  898,  899],
         [ 900,  901,  902,  ...,  907,  908,  909],
         ...,
         [ 960,  961,  962,  ...,  967,  968,  969],
         [ 970,  971,  972,  ...,  977,  978,  979],
         [ 980,  981,  982,  ...,  987,  988,  989]],

        [[ 990,  991,  992,  ...,  997,  998,  999],
         [1000, 1001, 1002,  ..., 1007, 1008, 1009],
         [1010, 1011, 1012,  ..., 1017, 1018, 1019],
         ...,
         [1070, 1071, 1072,  ..., 1077, 1078, 1079],
         [1080, 1081, 1082,  ..., 1087, 1088, 1089],
         [1090, 1091, 1092,  ..., 1097, 1098, 1099]]])""",
    ),
    (
        "aino.zeros(1001, 1)",
        """\
tensor([[0.],
        [0.],
        [0.],
        ...,
        [0.],
        [0.],
        [0.]])""",
    ),
    (
        "aino.arange(1200).reshape(6, 200)",
        """\
tensor([[   0,    1,    2,  ...,  197,  198,  199],
        [ 200,  201,  202,  ...,  397,  398,  399],
        [ 400,  401,  402,  ...,  597,  598,  599],
        [ 600,  601,  602,  ...,  797,  798,  799],
        [ 800,  801,  802,  ...,  997,  998,  999],
        [1000, 1001, 1002,  ..., 1197, 1198, 1199]])""",
    ),
    (
        "aino.arange(1008).reshape(7, 144)",
        """\
tensor([[   0,    1,    2,  ...,  141,  142,  143],
        [ 144,  145,  146,  ...,  285,  286,  287],
        [ 288,  289,  290,  ...,  429,  430,  431],
        ...,
        [ 576,  577,  578,  ...,  717,  718,  719],
        [ 720,  721,  722,  ...,  861,  862,  863],
        [ 864,  865,  866,  ..., 1005, 1006, 1007]])""",
    ),
    (
        "aino.arange(1500.0, requires_grad=True)",
        """\
tensor([0.0000e+00, 1.0000e+00, 2.0000e+00,  ..., 1.4970e+03, 1.4980e+03,
        1.4990e+03], requires_grad=True)""",
    ),
    (
        "aino.ones(5, 30, dtype=aino.float64)[0]",
        """\
tensor([1., 1., 1., 1., 1., 1., 1., 1., 1., 1., 1., 1., 1., 1., 1., 1., 1., 1.,
        1., 1., 1., 1., 1., 1., 1., 1., 1., 1., 1., 1.], dtype=aino.float64)""",
    ),
    (
        "aino.linspace(0, 1, 11)",
        """\
tensor([0.0000, 0.1000, 0.2000, 0.3000, 0.4000, 0.5000, 0.6000, 0.7000, 0.8000,
        0.9000, 1.0000])""",
    ),
    (
        "aino.logspace(-3, 3, 7)",
        """\
tensor([1.0000e-03, 1.0000e-02, 1.0000e-01, 1.0000e+00, 1.0000e+01, 1.0000e+02,
        1.0000e+03])""",
    ),
    (
        "aino.full((12,), 123456.75)",
        """\
tensor([123456.7500, 123456.7500, 123456.7500, 123456.7500, 123456.7500,
        123456.7500, 123456.7500, 123456.7500, 123456.7500, 123456.7500,
        123456.7500, 123456.7500])""",
    ),
    (
        "aino.full((2, 9), 1234.5678, dtype=aino.float64)",
        """\
tensor([[1234.5678, 1234.5678, 1234.5678, 1234.5678, 1234.5678, 1234.5678,
         1234.5678, 1234.5678, 1234.5678],
        [1234.5678, 1234.5678, 1234.5678, 1234.5678, 1234.5678, 1234.5678,
         1234.5678, 1234.5678, 1234.5678]], dtype=aino.float64)""",
    ),
    (
        "aino.full((1, 8), 12.5, requires_grad=True)",
        """\
tensor([[12.5000, 12.5000, 12.5000, 12.5000, 12.5000, 12.5000, 12.5000, 12.5000]],
       requires_grad=True)""",
    ),
    (
        "aino.full((1, 9), 12.5, dtype=aino.float64, requires_grad=True)",
        """\
tensor([[12.5000, 12.5000, 12.5000, 12.5000, 12.5000, 12.5000, 12.5000, 12.5000,
         12.5000]], dtype=aino.float64, requires_grad=True)""",
    ),
]

# Options, the expression, and what it prints under them.
UNDER_OPTIONS = [
    ({"precision": 2}, "aino.tensor([1.12345, 2.0])", "tensor([1.12, 2.00])"),
    (
        {"precision": 8},
        "aino.tensor([1.12345678, 2.0], dtype=aino.float64)",
        "tensor([1.12345678, 2.00000000], dtype=aino.float64)",
    ),
    ({"threshold": 5}, "aino.arange(10)", "tensor([0, 1, 2,  ..., 7, 8, 9])"),
    (
        {"threshold": 5, "edgeitems": 1},
        "aino.arange(24).reshape(4, 6)",
        """\
tensor([[ 0,  ...,  5],
        ...,
        [18,  ..., 23]])""",
    ),
    (
        {"threshold": 5, "edgeitems": 0},
        "aino.arange(24).reshape(4, 6)",
        "tensor([...], size=(4, 6))",
    ),
    ({"threshold": 5, "edgeitems": 0}, "aino.arange(6)", "tensor([...], size=(6,))"),
    (
        {"linewidth": 20},
        "aino.arange(12)",
        """\
tensor([ 0,  1,  2,
         3,  4,  5,
         6,  7,  8,
         9, 10, 11])""",
    ),
    (
        {"linewidth": 30},
        "aino.tensor([1.5, 2.5, 3.5], dtype=aino.float64)",
        """\
tensor([1.5000, 2.5000,
        3.5000],
       dtype=aino.float64)""",
    ),
    ({"sci_mode": True}, "aino.tensor([1.5, 20.0])", "tensor([1.5000e+00, 2.0000e+01])"),
    (
        {"sci_mode": False},
        "aino.tensor([1e-6, 1e9])",
        "tensor([         0.0000, 1000000000.0000])",
    ),
    ({"profile": "short"}, "aino.tensor([[1.23456, 2.0]])", "tensor([[1.23, 2.00]])"),
    ({"profile": "full"}, "aino.arange(1003)[-5:]", "tensor([ 998,  999, 1000, 1001, 1002])"),
    ({"sci_mode": True}, "aino.tensor([1.0, inf])", "tensor([1.0000e+00,        inf])"),
    ({"sci_mode": True}, "aino.tensor([1.0 + 1j])", "tensor([1.0000e+00+1.0000e+00j])"),
]


def value(expression):
    return eval(expression, {"aino": aino, "inf": inf, "nan": nan, "complex": complex})


@pytest.mark.parametrize(("expression", "text"), TEXTS, ids=[row[0] for row in TEXTS])
def test_text(expression, text):
    assert repr(value(expression)) == text
    assert str(value(expression)) == text


@pytest.mark.parametrize(("options", "expression", "text"), UNDER_OPTIONS)
def test_text_under_options(options, expression, text):
    before = aino.get_printoptions()
    with aino.printoptions(**options):
        assert repr(value(expression)) == text
    assert aino.get_printoptions() == before


def test_options_stay_until_they_are_set_again():
    aino.set_printoptions(precision=1)
    assert repr(aino.tensor([1.26])) == "tensor([1.3])"
    aino.set_printoptions(profile="default")
    assert repr(aino.tensor([1.26])) == "tensor([1.2600])"
    with pytest.raises(ValueError, match="profile"):
        aino.set_printoptions(profile="long")


def test_history_is_named():
    x = aino.tensor([1.0, 2.0], requires_grad=True)
    assert repr(x * 3) == "tensor([3., 6.], grad_fn=<MulBackward0>)"
    assert repr(x.detach()) == "tensor([1., 2.])"
    assert repr(x @ x) == "tensor(5., grad_fn=<DotBackward0>)"
    wide = aino.ones(1, 9, dtype=aino.float64, requires_grad=True) * 1.5
    assert repr(wide).splitlines()[1] == "       dtype=aino.float64, grad_fn=<MulBackward0>)"


def test_the_default_dtype_is_left_out():
    aino.set_default_dtype(aino.float64)
    try:
        assert repr(aino.tensor([1.0])) == "tensor([1.])"
        assert repr(aino.tensor([1j])) == "tensor([0.+1.j])"
        assert repr(aino.tensor([1.0], dtype=aino.float32)) == "tensor([1.], dtype=aino.float32)"
    finally:
        aino.set_default_dtype(aino.float32)


def test_format():
    assert f"{aino.tensor(2.5):.3f}" == "2.500"
    assert f"{aino.tensor(2.5)}" == "2.5"
    assert f"{aino.tensor([2.5])}" == "tensor([2.5000])"
    with pytest.raises(TypeError):
        f"{aino.tensor([2.5]):.3f}"


def test_memory_of_any_layout():
    array = np.arange(6.0, dtype=np.float32).reshape(2, 3)
    assert repr(aino.from_numpy(array.T)) == (
        "tensor([[0., 3.],\n        [1., 4.],\n        [2., 5.]])"
    )
    assert repr(aino.from_numpy(array[::-1, ::2])) == "tensor([[3., 5.],\n        [0., 2.]])"


def test_extreme_numbers_do_not_overflow():
    assert repr(aino.tensor([65504.0, 0.001], dtype=aino.float16)) == (
        "tensor([6.5504e+04, 1.0004e-03], dtype=aino.float16)"
    )
    smallest = np.iinfo(np.int64).min
    assert repr(aino.tensor([smallest])) == f"tensor([{smallest}])"
