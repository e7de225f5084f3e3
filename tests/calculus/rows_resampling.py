"""Rows of resampling: interpolation, sampling at the places of a grid, channels and pixels."""

import itertools

import numpy as np

from aino.autograd.rules import resampling
from aino.nn import functional
from aino.nn.functional import top_level_images as top_level
from tests.calculus.row import Row, case, given, real


def hat(x):
    return np.maximum(1.0 - abs(x), 0.0)


def keys(x, a=-0.75):
    x = abs(x)
    near = (a + 2) * x**3 - (a + 3) * x**2 + 1
    far = a * (x**3 - 5 * x**2 + 8 * x - 4)
    return np.where(x < 1, near, np.where(x < 2, far, 0.0))


def lanczos(x):
    return np.where(abs(x) < 3, np.sinc(x) * np.sinc(x / 3), 0.0)


def places_of(length, count, corners, factor):
    numbers = np.arange(count)
    if corners:
        return numbers * ((length - 1) / max(count - 1, 1))
    return (numbers + 0.5) * (1 / factor if factor else length / count) - 0.5


def matrix_of(mode, length, count, corners, factor, antialias):
    """Return the weights of an axis: those of each element of the input, row by row."""
    places, elements = places_of(length, count, corners, factor), np.arange(length)
    if antialias:
        step = (places[1] - places[0]) if count > 1 and corners else length / count
        wide = max(step, 1.0)
        center = step * (np.arange(count) + 0.5)
        weigh = {"bilinear": hat, "bicubic": lambda x: keys(x, -0.5), "lanczos": lanczos}[mode]
        weights = weigh((elements + 0.5 - center[:, None]) / wide)
        return weights / weights.sum(1, keepdims=True)
    if mode in ("nearest", "nearest-exact"):
        found = np.floor(places + (1e-9 if mode == "nearest" else 0.5)) if mode != "nearest" else (
            np.floor(np.arange(count) * (1 / factor if factor else length / count) + 1e-9)
        )  # fmt: skip
        return (np.clip(found, 0, length - 1)[:, None] == elements).astype(float)
    if mode == "bicubic":
        first, matrix = np.floor(places).astype(int), np.zeros((count, length))
        for k in range(-1, 3):
            for i, place in enumerate(first + k):
                matrix[i, np.clip(place, 0, length - 1)] += keys(places[i] - place)
        return matrix
    return hat(np.clip(places, 0, length - 1)[:, None] - elements)


def interpolate(
    x, size=None, scale_factor=None, mode="nearest", align_corners=None,
    recompute_scale_factor=None, antialias=False,
):  # fmt: skip
    n = x.ndim - 2
    factors = scale_factor if isinstance(scale_factor, tuple) else (scale_factor,) * n
    if size is None:
        size = tuple(int(np.floor(m * f)) for m, f in zip(x.shape[2:], factors))
    size = (size,) * n if isinstance(size, int) else size
    if recompute_scale_factor:
        factors = (None,) * n
    for i, (length, count, factor) in enumerate(zip(x.shape[2:], size, factors)):
        if mode == "area":
            weights = np.zeros((count, length))
            for j in range(count):
                reach = slice(j * length // count, -(-(j + 1) * length // count))
                weights[j, reach] = 1 / (reach.stop - reach.start)
        else:
            weights = matrix_of(mode, length, count, align_corners, factor, antialias)
        x = np.moveaxis(np.tensordot(weights, x, (1, i + 2)), 0, i + 2)
    return x


def reflected(place, length, corners):
    low, high = (0, length - 1) if corners else (-0.5, length - 0.5)
    if high == low:
        return 0.0
    away = abs(place - low) % (2 * (high - low))
    return low + min(away, 2 * (high - low) - away)


def bounded(place, length, padding, corners):
    if padding == "reflection":
        place = reflected(place, length, corners)
    return place if padding == "zeros" else np.clip(place, 0, length - 1)


def shares(c, length, mode, padding, corners):
    """Return how much of each element of an axis stands at a coordinate."""
    place = (c + 1) / 2 * (length - 1) if corners else ((c + 1) * length - 1) / 2
    elements = np.arange(length)
    if mode == "bicubic":
        first, found = np.floor(place), np.zeros(length)
        for k in range(-1, 3):
            tap = bounded(first + k, length, padding, corners)
            found += (elements == tap) * keys(place - (first + k))
        return found
    place = bounded(place, length, padding, corners)
    return hat(place - elements) if mode == "bilinear" else (elements == np.rint(place)) * 1.0


def grid_sample(x, grid, mode="bilinear", padding_mode="zeros", align_corners=None):
    n = x.ndim - 2
    y = np.empty((*x.shape[:2], *grid.shape[1:-1]), x.dtype)
    for place in itertools.product(*map(range, grid.shape[:-1])):
        value = x[place[0]]
        for i in range(n):
            weights = shares(
                grid[(*place, n - 1 - i)], x.shape[i + 2], mode, padding_mode, align_corners
            )
            value = np.tensordot(value, weights, (1, 0))
        y[(place[0], slice(None), *place[1:])] = value
    return y


def numbered(x, grid, mode, padding_mode, align_corners):
    return grid_sample(
        x, grid, ("bilinear", "nearest", "bicubic")[mode],
        ("zeros", "border", "reflection")[padding_mode], align_corners,
    )  # fmt: skip


def affine_grid(theta, size, align_corners=None):
    lengths = size[2:]
    lines = []
    for length in lengths:
        centers = (2 * np.arange(length) + 1) / length - 1
        edges = np.linspace(-1, 1, length) if length > 1 else np.zeros(1)
        lines.append(edges if align_corners else centers)
    base = np.stack([*np.meshgrid(*lines, indexing="ij")[::-1], np.ones(lengths)], -1)
    return np.einsum("...k,nik->n...i", base, theta)


def pixel_shuffle(x, r):
    *lead, channels, height, width = x.shape
    y = np.empty((*lead, channels // r**2, height * r, width * r), x.dtype)
    for i, j in itertools.product(range(r), range(r)):
        y[..., i::r, j::r] = x[..., i * r + j :: r * r, :, :]
    return y


def pixel_unshuffle(x, r):
    parts = [x[..., i::r, j::r] for i in range(r) for j in range(r)]
    y = np.stack(parts, -3)
    return y.reshape(*x.shape[:-3], x.shape[-3] * r * r, *y.shape[-2:])


def channel_shuffle(x, groups):
    order = np.arange(x.shape[1]).reshape(groups, -1).T.ravel()
    return x[:, order]


def called(name, oracle, cases, place=functional, **options):
    options = {"method": "", "covers": "", "dtypes": "float32"} | options
    return Row(
        name if place is top_level else f"nn.functional.{name}", getattr(place, name), oracle,
        cases, **options,
    )  # fmt: skip


NARROW = np.tri(100, 70, 5) - np.tri(100, 70, -5)
BANDS = resampling.bands_of(NARROW), resampling.bands_of(NARROW.T)
assert all(BANDS)
SIGNAL, IMAGE, VOLUME = real(1, 2, 5), real(2, 1, 4, 3), real(1, 1, 2, 3, 4)
INTERPOLATION = [
    Row("weighted", resampling.weighted,
        lambda x, weights, axis, bands: (
            np.moveaxis(np.tensordot(weights, x, (1, axis)), 0, axis)
        ),
        [case(real(2, 3, 2), np.arange(6.0).reshape(2, 3), -2, (None, None)),
         case(real(2, 3), np.arange(6.0).reshape(2, 3), -1, (None, None)),
         case(real(1, 70, 2), NARROW, -2, BANDS), case(real(2, 70), NARROW, -1, BANDS)],
        torch=None, method="", dtypes="float32"),
    called(
        "interpolate", interpolate,
        [
            case(SIGNAL, 8), case(SIGNAL, scale_factor=2.0), case(SIGNAL, 3, mode="nearest-exact"),
            case(SIGNAL, 8, mode="linear"), case(SIGNAL, 8, mode="linear", align_corners=True),
            case(SIGNAL, scale_factor=1.7, mode="linear"),
            case(SIGNAL, scale_factor=1.7, mode="linear", recompute_scale_factor=True),
            case(SIGNAL, 3, mode="area"),
            case(IMAGE, (4, 6)), case(IMAGE, (7, 5), mode="bilinear"),
            case(IMAGE, scale_factor=(1.5, 2.0), mode="bilinear", align_corners=True),
            case(IMAGE, (7, 5), mode="bicubic"),
            case(IMAGE, 2, mode="bicubic", align_corners=True),
            case(IMAGE, (2, 5), mode="bilinear", antialias=True),
            case(IMAGE, (2, 5), mode="bicubic", antialias=True),
            case(IMAGE, (2, 5), mode="lanczos", antialias=True),
            case(IMAGE, (3, 2), mode="area"),
            case(VOLUME, (3, 3, 2)), case(VOLUME, (3, 2, 6), mode="trilinear"),
            case(VOLUME, 1, mode="trilinear", align_corners=True),
        ],
        # What is not finite stays where it is.
        kinks=[case(given([[[1.0, 2.0, np.nan, 4.0, np.inf, 5.0]]]), 4, mode="linear")
               .gives(np.array([[[1.25, np.nan, np.inf, np.inf]]]))],
        errors=[
            case(SIGNAL), case(SIGNAL, 3, 2.0), case(SIGNAL, (3, 3)), case(SIGNAL, 2.5),
            case(SIGNAL, 3, align_corners=True), case(SIGNAL, 3, mode="bilinear"),
            case(SIGNAL, 3, mode="cubic"), case(IMAGE, 3, antialias=True), case(IMAGE, 0),
            case(IMAGE, 3, mode="lanczos"), case(SIGNAL, 3, recompute_scale_factor=True),
            case(real(2, 5), 3),
        ],
    ),
]  # fmt: skip

#: Places that keep away from where the element that is next changes, for an input of 4 x 3.
AWAY = given([[[[-0.9, 0.31], [0.22, -0.4]], [[0.55, 0.83], [-0.15, 1.9]]]])
OUTSIDE = given([[[[-1.4, 0.31], [0.22, -1.7]]]])
IN_VOLUME = given([[[[[0.3, -0.2, 0.1], [1.4, 0.55, -0.35]]]]])
PICTURE = real(1, 2, 4, 3)
GRIDS = [
    called(
        "grid_sample", grid_sample,
        [
            *[
                case(PICTURE, grid, mode, padding, corners)
                for grid, mode, padding, corners in (
                    (AWAY, "bilinear", "zeros", False), (AWAY, "bilinear", "border", True),
                    (OUTSIDE, "bilinear", "reflection", False), (AWAY, "nearest", "zeros", True),
                    (OUTSIDE, "nearest", "reflection", True), (AWAY, "bicubic", "zeros", False),
                    (OUTSIDE, "bicubic", "reflection", False),
                )
            ],
            case(VOLUME, IN_VOLUME), case(VOLUME, IN_VOLUME, "nearest", "border"),
            case(real(1, 1, 1, 1), AWAY, "bilinear", "reflection", True),
        ],
        errors=[
            case(PICTURE, AWAY, "cubic"), case(PICTURE, AWAY, "bilinear", "wrap"),
            case(PICTURE, IN_VOLUME), case(real(2, 2, 4, 3), AWAY), case(real(1, 1, 0, 3), AWAY),
            case(VOLUME, IN_VOLUME, "bicubic"), case(real(2, 3), real(2, 2)),
        ],
    ),
    called(
        "affine_grid", affine_grid,
        [
            case(real(2, 2, 3), (2, 1, 2, 3)), case(real(1, 2, 3), (1, 1, 3, 1), True),
            case(real(1, 3, 4), (1, 1, 2, 1, 3), False),
        ],
        errors=[
            case(real(1, 2, 3), (2, 1, 2, 3)), case(real(1, 2, 3), (1, 1, 0, 3)),
            case(real(1, 2, 3), (1, 1, 3)),
        ],
    ),
    called("affine_grid_generator", affine_grid, [case(real(1, 2, 3), (1, 1, 2, 2), False)],
           top_level),
    called("grid_sampler", numbered, [case(PICTURE, AWAY, 0, 0, False)], top_level),
    # PyTorch reads a mode that is not there, and returns what the memory held.
    called("grid_sampler", numbered, [case(PICTURE, AWAY, 1, 2, False)], top_level, torch=None,
           errors=[case(PICTURE, AWAY, 3, 0, False), case(PICTURE, AWAY, 0, -1, False)]),
    called("grid_sampler_2d", numbered, [case(PICTURE, AWAY, 1, 1, True)], top_level,
           errors=[case(VOLUME, IN_VOLUME, 0, 0, False)]),
    called("grid_sampler_3d", numbered, [case(VOLUME, IN_VOLUME, 1, 2, True)], top_level,
           errors=[case(PICTURE, AWAY, 0, 0, False)]),
]  # fmt: skip

SHUFFLES = [
    called("pixel_shuffle", pixel_shuffle, [case(real(1, 8, 2, 3), 2)], complex=True,
           errors=[case(real(1, 6, 2, 3), 2), case(real(4, 2), 2), case(real(4, 1, 1), 0)]),
    called("pixel_unshuffle", pixel_unshuffle, [case(real(1, 2, 4, 6), 2)], complex=True,
           errors=[case(real(1, 2, 3, 4), 2)]),
    called("channel_shuffle", channel_shuffle, [case(real(2, 6, 2), 2), case(real(1, 6, 2, 1), 3)],
           errors=[case(real(2, 6, 2), 4), case(real(2, 6), 2)]),
    called("native_channel_shuffle", channel_shuffle, [case(real(1, 6, 2), 2)],
           torch="nn.functional.channel_shuffle"),
]  # fmt: skip

ROWS = INTERPOLATION + GRIDS + SHUFFLES
