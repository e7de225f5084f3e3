"""Rows of what layers compute: weighted sums, normalisation, tables, distances, dropout."""

import numpy as np

from aino.nn import functional as F
from tests.calculus.row import Row, between, case, given, integers, nonzero, real

inf = np.inf


def functional(name, oracle, cases, **options):
    options = {"dtypes": "float32", "covers": ""} | options
    return Row(f"nn.functional.{name}", getattr(F, name), oracle, cases, **options)


def linear(x, weight, bias=None):
    y = np.tensordot(x, weight, (-1, -1))
    return y if bias is None else y + bias


def layer_norm(x, shape, weight=None, bias=None, eps=1e-5):
    axes = tuple(range(-len(shape), 0))
    z = (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + eps)
    z = z if weight is None else z * weight
    return z if bias is None else z + bias


def rms_norm(x, shape, weight=None, eps=2.0**-52):
    axes = tuple(range(-len(shape), 0))
    z = x / np.sqrt((x * x).mean(axes, keepdims=True) + eps)
    return z if weight is None else z * weight


def norm(x, p, axis, keepdims=False):
    return np.linalg.norm(x, p, axis, keepdims)


def normalize(x, p=2.0, dim=1, eps=1e-12):
    return x / np.maximum(norm(x, p, dim, True), eps)


def cosine_similarity(a, b, dim=1, eps=1e-8):
    a, b = np.broadcast_arrays(a, b)
    lengths = np.maximum(norm(a, 2, dim), eps) * np.maximum(norm(b, 2, dim), eps)
    return (a * b).sum(dim) / lengths


def pairwise_distance(a, b, p=2.0, eps=1e-6, keepdim=False):
    return norm(a - b + eps, p, -1, keepdim)


def pdist(x, p=2.0):
    pairs = [(i, j) for i in range(len(x)) for j in range(i + 1, len(x))]
    return np.array([norm(x[i] - x[j], p, 0) for i, j in pairs])


ROWS = [
    functional("linear", linear, [
        case(real(5, 4), real(3, 4), real(3)), case(real(5, 4), real(3, 4)),
        case(real(2, 3, 4), real(3, 4), real(3)), case(real(4), real(3, 4), real(3)),
        case(real(4), real(4)), case(real(0, 4), real(3, 4), real(3)),
    ], covers="linear", complex=True,
       errors=[case(real(5, 3), real(3, 4), real(3)), case(real(), real(3, 4), real(3)),
               case(real(5, 4), real(3, 4), real(2))]),
    # One neuron: PyTorch adds no bias to it.
    functional("linear", linear, [
        case(real(5, 4), real(4), real()), case(real(2, 3, 4), real(4), real()),
        case(real(4), real(4), real()),
    ], covers="linear", complex=True, torch=None),
    functional("bilinear", lambda a, b, w, c=0.0: np.einsum("...i,oij,...j->...o", a, w, b) + c, [
        case(real(5, 2), real(5, 3), real(4, 2, 3), real(4)),
        case(real(2, 2, 2), real(2, 2, 3), real(4, 2, 3)),
    ], errors=[case(real(5, 2), real(4, 3), real(4, 2, 3)),
               case(real(5, 3), real(5, 3), real(4, 2, 3))]),
    functional("layer_norm", layer_norm, [
        case(real(3, 4), (4,)), case(real(3, 4), (4,), real(4), real(4)),
        case(real(2, 3, 4), (3, 4), real(3, 4), real(3, 4), eps=0.1),
        case(real(3, 4), (4,), real(4)), case(real(4), (4,), real(4), real(4)),
    ], covers="layer_norm", gradtol=1e-4,
       errors=[case(real(3, 4), (3,)), case(real(3, 4), (4,), real(3)), case(real(3), ())]),
    functional("rms_norm", rms_norm, [
        case(nonzero(3, 4), (4,), eps=1e-6), case(nonzero(3, 4), (4,), real(4), eps=0.1),
        case(nonzero(2, 3, 4), (3, 4), real(3, 4), eps=1e-6),
    ], covers="rms_norm", errors=[case(real(3, 4), (3,))]),
    functional("embedding", lambda i, w, padding_idx=None, **_: w[i], [
        case(given(np.array([[1, 4], [0, 1]])), real(5, 3)),
        case(integers(0, 5, 0), real(5, 3)),
    ], covers="embedding",
       kinks=[case(given(np.array(2)), real(5, 3)),
              case(given(np.array([1, 0, 1])), real(3, 2), padding_idx=1).slopes(
           [[1.0, 1.0], [0.0, 0.0], [0.0, 0.0]]),
           case(given(np.array([2, 0, 2, 2])), real(3, 2), scale_grad_by_freq=True).slopes(
           [[1.0, 1.0], [0.0, 0.0], [1.0, 1.0]])],
       errors=[case(given(np.array([5])), real(5, 3)), case(given(np.array([-1])), real(5, 3)),
               case(given(np.array([1.0])), real(5, 3)),
               case(given(np.array([1])), real(5, 3), padding_idx=7)]),
    functional("one_hot", lambda i, n=-1: np.eye(i.max() + 1 if n == -1 else n, dtype=np.int64)[i],
               [case(given(np.array([[0, 2], [1, 0]]))), case(given(np.array([1])), 4)],
               order=0, errors=[case(given(np.array([-1]))), case(given(np.array([4])), 3),
                                case(given(np.array([1.0])))]),
    functional("normalize", normalize, [
        case(nonzero(3, 4)), case(nonzero(3, 4), dim=0), case(nonzero(3, 4), p=1.0),
        case(nonzero(4), p=3.0, dim=-1),
    ], kinks=[case(given([[0.0, 0.0]])).slopes([[1e12, 1e12]])]),
    functional("cosine_similarity", cosine_similarity, [
        case(real(3, 4), real(3, 4)), case(real(3, 4), real(3, 4), dim=0),
        case(real(2, 3, 4), real(3, 4), dim=-1),
    ]),
    functional("pairwise_distance", pairwise_distance, [
        case(real(3, 4), real(3, 4)), case(real(4), real(4)),
        case(real(3, 4), between(3, 4, 3, 4), p=1.0), case(real(3, 4), real(3, 4), keepdim=True),
        case(real(3, 4), between(3, 4, 3, 4), p=3.0),
    ]),
    functional("pdist", pdist, [case(real(4, 3)), case(real(4, 3), p=1.0), case(real(3, 2), p=inf)],
               errors=[case(real(3))]),
    functional("dropout", None, [case(real(3, 4), training=False)], seeded=False),
    functional("dropout1d", None, [case(real(3, 4, 2), training=False)], errors=[case(real(3))]),
    functional("dropout2d", None, [case(real(3, 4, 2, 2), training=False)]),
    functional("dropout3d", None, [case(real(3, 4, 2, 2, 2), training=False)]),
    functional("alpha_dropout", None, [case(real(3, 4), training=False)]),
    functional("feature_alpha_dropout", None, [case(real(2, 3, 4), training=False)]),
]  # fmt: skip
