"""Every module of aino.nn, one row for each way to make it that matters."""

import math

import numpy as np

from tests.calculus.row import between, given, integers, nonzero, positive, real
from tests.nn import (
    rows_attention,
    rows_bags,
    rows_conv,
    rows_normalization,
    rows_pooling,
    rows_recurrent,
)  # fmt: skip
from tests.nn.row import row

phi = np.vectorize(lambda x: 0.5 * math.erfc(-x / math.sqrt(2.0)), [float])
smooth = nonzero(3, 4)
probability = between(0.05, 0.95, 3, 4)
signs = given(np.array([1.0, -1.0, 1.0, -1.0])).constant()
weights3, weights4 = np.array([0.5, 1.0, 2.0]), np.array([0.5, 1.0, 2.0, 0.1])


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def softmax(x, axis):
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def linear(x, weight, bias=0.0):
    return x @ weight.T + bias


def normalised(x, axes, eps):
    return (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + eps)


def layer_norm(x, weight=1.0, bias=0.0):
    return normalised(x, (-1,), 1e-5) * weight + bias


def elu(x, alpha=1.0):
    return np.where(x > 0, x, alpha * np.expm1(x))


def gelu_tanh(x):
    return 0.5 * x * (1.0 + np.tanh(math.sqrt(2.0 / math.pi) * (x + 0.044715 * x**3)))


def activation(name, oracle, text, *args, inputs=smooth, **options):
    return row(name, *args, inputs=inputs, oracle=oracle, text=text, **options)


def leave(x, **_):
    return x


LAYERS = [
    row("Linear", 4, 3, inputs=real(5, 4), oracle=linear,
        text="Linear(in_features=4, out_features=3, bias=True)",
        errors=[((-1, 3), {}, ValueError), ((4, 3.5), {}, ValueError),
                ((4, 3), {"dtype": "int64"}, TypeError), ((4, 3), {"device": "tpu"}, RuntimeError)],
        bad_inputs=[(real(5, 3),), (real(),), (integers(0, 3, 5, 4),)]),
    row("Linear", 4, 3, bias=False, inputs=real(2, 5, 4), oracle=linear,
        text="Linear(in_features=4, out_features=3, bias=False)"),
    row("Bilinear", 2, 3, 4, inputs=(real(5, 2), real(5, 3)),
        oracle=lambda a, b, weight, bias: np.einsum("ni,oij,nj->no", a, weight, b) + bias,
        text="Bilinear(in1_features=2, in2_features=3, out_features=4, bias=True)",
        errors=[((0, 3, 4), {}, ValueError)]),
    row("Identity", 54, unused=1, inputs=real(3), oracle=leave, text="Identity()"),
    row("Flatten", inputs=real(2, 3, 4), oracle=lambda x: x.reshape(2, 12),
        text="Flatten(start_dim=1, end_dim=-1)"),
    row("Flatten", 0, 1, inputs=real(2, 3, 4), oracle=lambda x: x.reshape(6, 4),
        text="Flatten(start_dim=0, end_dim=1)"),
    row("Unflatten", 1, (3, -1), inputs=real(2, 12), oracle=lambda x: x.reshape(2, 3, 4),
        text="Unflatten(dim=1, unflattened_size=(3, -1))",
        errors=[((1, 3), {}, TypeError), ((1, (2.0, 2)), {}, TypeError)]),
    row("Embedding", 5, 3, inputs=integers(0, 5, 2, 2), oracle=lambda i, weight: weight[i],
        text="Embedding(5, 3)", errors=[((5, 3, 7), {}, ValueError)],
        bad_inputs=[(real(2),), (given(np.array([5])),)]),
    row("Embedding", 5, 3, padding_idx=-5, max_norm=1e9, norm_type=1.0,
        scale_grad_by_freq=True, inputs=given(np.array([1, 2])), order=0,
        oracle=lambda i, weight: weight[i],
        text="Embedding(5, 3, padding_idx=0, max_norm=1000000000.0, norm_type=1.0, "
             "scale_grad_by_freq=True)"),
    row("LayerNorm", 4, inputs=real(3, 4), oracle=layer_norm,
        text="LayerNorm((4,), eps=1e-05, elementwise_affine=True, bias=True)",
        bad_inputs=[(real(3, 5),)]),
    row("LayerNorm", (3, 4), bias=False, inputs=real(2, 3, 4),
        oracle=lambda x, weight: normalised(x, (1, 2), 1e-5) * weight,
        text="LayerNorm((3, 4), eps=1e-05, elementwise_affine=True, bias=False)"),
    row("LayerNorm", 4, elementwise_affine=False, inputs=real(3, 4), oracle=layer_norm,
        text="LayerNorm((4,), eps=1e-05, elementwise_affine=False, bias=False)"),
    row("RMSNorm", 4, inputs=nonzero(3, 4),
        oracle=lambda x, weight: x / np.sqrt((x * x).mean(-1, keepdims=True)) * weight,
        text="RMSNorm((4,), eps=None, elementwise_affine=True)"),
    row("Dropout", inputs=real(3, 4), oracle=leave, text="Dropout(p=0.5, inplace=False)",
        random=True, errors=[((1.5,), {}, ValueError), ((-0.1,), {}, ValueError)]),
    row("Dropout1d", 0.3, inputs=real(2, 3, 4), oracle=leave,
        text="Dropout1d(p=0.3, inplace=False)", random=True, bad_inputs=[(real(3),)]),
    row("Dropout2d", inputs=real(2, 3, 2, 2), oracle=leave,
        text="Dropout2d(p=0.5, inplace=False)", random=True, bad_inputs=[(real(3),)]),
    row("Dropout3d", inputs=real(2, 3, 2, 2, 2), oracle=leave,
        text="Dropout3d(p=0.5, inplace=False)", random=True, bad_inputs=[(real(),)]),
    row("AlphaDropout", inputs=real(3, 4), oracle=leave,
        text="AlphaDropout(p=0.5, inplace=False)", random=True),
    row("FeatureAlphaDropout", inputs=real(2, 3, 4), oracle=leave,
        text="FeatureAlphaDropout(p=0.5, inplace=False)", random=True, bad_inputs=[(real(3),)]),
    row("Perceptron", 4, "tanh", inputs=real(5, 4), torch=False,
        oracle=lambda x, weight, bias: np.tanh(x @ weight + bias),
        text="Perceptron(in_features=4, activation='tanh')",
        errors=[((4, "sigmod"), {}, ValueError), ((4, 3), {}, TypeError)],
        bad_inputs=[(real(5, 3),)]),
    row("Perceptron", 4, "relu", bias=False, inputs=nonzero(5, 4), torch=False,
        oracle=lambda x, weight: np.maximum(0.0, x @ weight),
        text="Perceptron(in_features=4, activation='relu', bias=False)"),
    row("Layer", 4, 3, "sigmoid", inputs=real(5, 4), torch=False,
        oracle=lambda x, weight, bias: sigmoid(linear(x, weight, bias)),
        text="Layer(in_features=4, out_features=3, activation='sigmoid')",
        errors=[((4, 3, "Sigmoid"), {}, ValueError)], bad_inputs=[(real(5, 3),)]),
    row("Layer", 4, 3, "softmax", bias=False, inputs=real(5, 4), torch=False,
        oracle=lambda x, weight: softmax(x @ weight.T, -1),
        text="Layer(in_features=4, out_features=3, activation='softmax', bias=False)"),
    row("Layer", 4, 3, "tanh", dropout=0.5, batch_norm=True, inputs=real(5, 4), torch=False,
        random=True, oracle=lambda x, weight, bias, **norm: np.tanh(
            linear(x, weight, bias) / np.sqrt(1 + 1e-5) * norm["norm.weight"] + norm["norm.bias"]),
        text="""Layer(
  in_features=4, out_features=3, activation='tanh', dropout=0.5
  (norm): BatchNorm1d(3, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)
)""", errors=[((4, 3), {"dropout": -0.1}, ValueError)]),
    row("Layer", 4, 3, None, inputs=real(5, 4), oracle=linear, torch=False,
        text="Layer(in_features=4, out_features=3, activation='linear')"),
]  # fmt: skip

ACTIVATIONS = [
    activation("ReLU", lambda x: np.maximum(0, x), "ReLU()"),
    activation("ReLU", lambda x: np.maximum(0, x), "ReLU(inplace=True)", True, order=0),
    activation("ReLU6", lambda x: np.clip(x, 0, 6), "ReLU6()"),
    activation("SELU", lambda x: 1.0507009873554805 * elu(x, 1.6732632423543772), "SELU()"),
    activation("SiLU", lambda x: x * sigmoid(x), "SiLU()"),
    activation("Mish", lambda x: x * np.tanh(np.log1p(np.exp(x))), "Mish()"),
    activation("Hardsigmoid", lambda x: np.clip(x + 3, 0, 6) / 6, "Hardsigmoid()"),
    activation("Hardswish", lambda x: x * np.clip(x + 3, 0, 6) / 6, "Hardswish()"),
    activation("Sigmoid", sigmoid, "Sigmoid()"),
    activation("Tanh", np.tanh, "Tanh()"),
    activation("LogSigmoid", lambda x: np.log(sigmoid(x)), "LogSigmoid()"),
    activation("Softsign", lambda x: x / (1 + abs(x)), "Softsign()"),
    activation("Tanhshrink", lambda x: x - np.tanh(x), "Tanhshrink()"),
    activation("ELU", elu, "ELU(alpha=1.0)"),
    activation("ELU", lambda x: elu(x, 0.5), "ELU(alpha=0.5, inplace=True)", 0.5, True, order=0),
    activation("CELU", lambda x: np.where(x > 0, x, 2 * np.expm1(x / 2)), "CELU(alpha=2.0)", 2.0),
    activation("LeakyReLU", lambda x: np.where(x > 0, x, 0.01 * x),
               "LeakyReLU(negative_slope=0.01)"),
    activation("PReLU", lambda x, weight: np.where(x > 0, x, weight * x),
               "PReLU(num_parameters=1)"),
    activation("PReLU", lambda x, weight: np.where(x > 0, x, weight * x),
               "PReLU(num_parameters=4)", 4),
    activation("RReLU", lambda x: np.where(x > 0, x, x * (1 / 8 + 1 / 3) / 2),
               "RReLU(lower=0.125, upper=0.3333333333333333)", random=True),
    activation("GELU", lambda x: x * phi(x), "GELU(approximate='none')"),
    activation("GELU", gelu_tanh, "GELU(approximate='tanh')", "tanh"),
    activation("Softplus", lambda x: np.log1p(np.exp(x)), "Softplus(beta=1.0, threshold=20.0)"),
    activation("Hardtanh", lambda x: np.clip(x, -1, 1), "Hardtanh(min_val=-1.0, max_val=1.0)",
               inputs=nonzero(3, 4).away(-1, 1), errors=[((1.0, -1.0), {}, ValueError)]),
    activation("Hardshrink", lambda x: np.where(abs(x) > 0.5, x, 0), "Hardshrink(0.5)",
               inputs=real(3, 4).away(-0.5, 0.5)),
    activation("Softshrink", lambda x: np.sign(x) * np.maximum(abs(x) - 0.5, 0),
               "Softshrink(0.5)", inputs=real(3, 4).away(-0.5, 0.5)),
    activation("Threshold", lambda x: np.where(x > 0.1, x, -7),
               "Threshold(threshold=0.1, value=-7)", 0.1, -7, inputs=real(3, 4).away(0.1)),
    activation("GLU", lambda x: x[:, :2] * sigmoid(x[:, 2:]), "GLU(dim=-1)"),
    activation("Softmax", lambda x: softmax(x, 1), "Softmax(dim=1)", dim=1),
    activation("Softmin", lambda x: softmax(-x, 0), "Softmin(dim=0)", dim=0),
    activation("LogSoftmax", lambda x: np.log(softmax(x, -1)), "LogSoftmax(dim=-1)", dim=-1),
    activation("Softmax2d", lambda x: softmax(x, 1), "Softmax2d()", inputs=real(2, 3, 2, 2),
               bad_inputs=[(real(3, 4),)]),
]  # fmt: skip


def loss(name, oracle, *inputs, text=None, **options):
    return row(name, inputs=inputs, oracle=oracle, text=text or f"{name}()", **options)


def bce(x, t, weight=1.0):
    return (-weight * (t * np.log(x) + (1 - t) * np.log(1 - x))).mean()


def huber(x, t, delta=1.0):
    d = abs(x - t)
    return np.where(d < delta, d * d / 2, delta * (d - delta / 2)).mean()


def distance(a, b):
    return np.linalg.norm(a - b + 1e-6, axis=-1)


def picked(logs, t, weight=None):
    w = np.ones(logs.shape[1]) if weight is None else weight
    return -(w[t] * logs[np.arange(len(t)), t]).sum() / w[t].sum()


def cosine(a, b):
    return (a * b).sum(-1) / np.linalg.norm(a, axis=-1) / np.linalg.norm(b, axis=-1)


def multi_margin(x, t, weight):
    gaps = np.maximum(0, 1 - x[np.arange(4), t][:, None] + x)
    return ((gaps.sum(1) - 1) * weight[t]).mean() / 3


scores, labels = real(4, 3), integers(0, 3, 4)

LOSSES = [
    loss("MSELoss", lambda x, t: ((x - t) ** 2).mean(), real(3, 4), real(3, 4)),
    loss("MSELoss", lambda x, t: ((x - t) ** 2).sum(), real(3, 4), real(3, 4), reduction="sum"),
    loss("L1Loss", lambda x, t: abs(x - t), between(1, 2, 3, 4), real(3, 4).away(1, 2),
         reduction="none"),
    loss("SmoothL1Loss", lambda x, t: huber(x, t, 0.5) / 0.5, real(3, 4), real(3, 4), beta=0.5),
    loss("HuberLoss", lambda x, t: huber(x, t, 0.5), real(3, 4), real(3, 4), delta=0.5),
    loss("PoissonNLLLoss", lambda x, t: (np.exp(x) - t * x).mean(), real(3, 4), positive(3, 4)),
    loss("GaussianNLLLoss", lambda x, t, v: (np.log(v) + (x - t) ** 2 / v).mean() / 2,
         real(3, 4), real(3, 4), positive(3, 4)),
    loss("CrossEntropyLoss", lambda x, t: picked(np.log(softmax(x, 1)), t), scores, labels,
         bad_inputs=[(scores, integers(0, 3, 5)), (scores, given(np.array([0, 1, 2, 3])))]),
    loss("CrossEntropyLoss", lambda x, t, weight: picked(np.log(softmax(x, 1)), t, weight),
         scores, labels, weight=weights3),
    loss("CrossEntropyLoss", lambda x, t: -(t * np.log(softmax(x, 1))).sum(1).mean(), scores,
         between(0, 1, 4, 3)),
    loss("NLLLoss", picked, scores, labels, weight=weights3),
    loss("BCELoss", bce, probability, probability, bad_inputs=[(real(3, 4), probability)]),
    loss("BCELoss", bce, probability, probability, weight=weights4),
    loss("BCEWithLogitsLoss", lambda x, t: bce(sigmoid(x), t), real(3, 4), probability,
         bad_inputs=[(real(3, 4), real(4))]),
    loss("BCEWithLogitsLoss", lambda x, t, weight, pos_weight: (
        -weight * (pos_weight * t * np.log(sigmoid(x)) + (1 - t) * np.log(sigmoid(-x)))).mean(),
        real(3, 4), probability, weight=weights4, pos_weight=weights4),
    loss("KLDivLoss", lambda x, t: (t * (np.log(t) - x)).sum() / 3, real(3, 4), positive(3, 4),
         reduction="batchmean"),
    loss("MultiMarginLoss", multi_margin, scores, labels, weight=weights3,
         errors=[((3,), {}, ValueError)]),
    loss("MultiLabelSoftMarginLoss", lambda x, t: bce(sigmoid(x), t), real(3, 4), probability),
    loss("SoftMarginLoss", lambda x, t: np.log1p(np.exp(-t * x)).mean(), real(4), signs),
    loss("CosineEmbeddingLoss", lambda a, b, t: np.where(
        t == 1, 1 - cosine(a, b), np.maximum(0, cosine(a, b) + 2)).mean(), real(4, 3), real(4, 3),
        signs, margin=-2.0, rtol=1e-7),
    loss("MarginRankingLoss", lambda a, b, t: np.maximum(0, -t * (a - b) + 0.5).mean(),
         between(1, 2, 4), between(-2, -1, 4), signs, margin=0.5),
    loss("HingeEmbeddingLoss", lambda x, t: np.where(t == 1, x, np.maximum(0, 1 - x)).mean(),
         between(-2, 0.5, 4), signs),
    loss("TripletMarginLoss", lambda a, p, n: np.maximum(
        0, 1 + distance(a, p) - distance(a, n)).mean(), real(4, 3), between(3, 4, 4, 3),
        between(-1, 1, 4, 3), errors=[((0.0,), {}, ValueError)]),
    loss("TripletMarginWithDistanceLoss", lambda a, p, n: np.maximum(
        0, 1 + distance(a, p) - distance(a, n)).mean(), real(4, 3), between(3, 4, 4, 3),
        between(-1, 1, 4, 3), text="TripletMarginWithDistanceLoss(\n"
        "  (distance_function): PairwiseDistance()\n)"),
    loss("CosineSimilarity", cosine, real(4, 3), real(4, 3)),
    loss("PairwiseDistance", distance, real(4, 3), real(4, 3)),
]  # fmt: skip

ROWS = [
    *LAYERS, *ACTIVATIONS, *LOSSES, *rows_attention.ROWS, *rows_bags.ROWS, *rows_conv.ROWS,
    *rows_normalization.ROWS, *rows_pooling.ROWS, *rows_recurrent.ROWS,
]  # fmt: skip
