"""Summaries: what TensorBoard's package makes of numbers, and the pictures that it shows."""

from __future__ import annotations

import itertools
import math
import struct
import time
import zlib
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np


class Board:
    """TensorBoard's own package, with the messages that its files consist of."""

    def __init__(self) -> None:
        try:
            from tensorboard.compat.proto import event_pb2, summary_pb2, tensor_pb2
            from tensorboard.compat.proto import tensor_shape_pb2 as shapes
            from tensorboard.plugins.hparams import summary_v2 as hparams
            from tensorboard.summary.writer.event_file_writer import EventFileWriter
        except ImportError as error:
            raise ImportError(
                "SummaryWriter needs the package tensorboard: pip install 'aino[tensorboard]'"
            ) from error
        self.open = EventFileWriter
        self._hparams: Any = hparams
        self._of = SimpleNamespace(
            **{name: getattr(event_pb2, name) for name in ("Event", "SessionLog")},
            **{
                n: getattr(summary_pb2, n) for n in ("HistogramProto", "Summary", "SummaryMetadata")
            },
            Tensor=tensor_pb2.TensorProto,
            Shape=shapes.TensorShapeProto,
        )

    def event(self, summary: Any, step: int | None, walltime: float | None) -> Any:
        """Return a summary as an event, at a step and a time."""
        event = self._of.Event(
            summary=summary, wall_time=time.time() if walltime is None else walltime
        )
        if step is not None:
            event.step = step
        return event

    def restart(self, step: int) -> Any:
        """Return the event that has TensorBoard forget what is from a step on."""
        log = self._of.SessionLog(status=self._of.SessionLog.START)
        return self._of.Event(session_log=log, step=step, wall_time=time.time())

    def _one(self, tag: str, **content: Any) -> Any:
        Summary = self._of.Summary
        return Summary(value=[Summary.Value(tag=tag, **content)])

    def scalar(self, tag: str, value: float) -> Any:
        """Return a number."""
        return self._one(tag, simple_value=value)

    def histogram(self, tag: str, values: np.ndarray, bins: Any, max_bins: int | None) -> Any:
        """Return how finite values are distributed."""
        counts, limits = np.histogram(values, growing_bins() if bins == "tensorflow" else bins)
        if max_bins is not None and len(counts) > max_bins:
            width = -(-len(counts) // max_bins)
            counts = np.add.reduceat(counts, range(0, len(counts), width))
            limits = np.append(limits[:-1:width], limits[-1])
        first, *_, last = [*np.flatnonzero(counts)[[0, -1]]]
        # A bin is known by its right limit; an empty one before the first gives its left.
        bucket = self._of.HistogramProto(
            min=values.min(),
            max=values.max(),
            num=values.size,
            sum=values.sum(),
            sum_squares=values @ values,
            bucket=[0, *counts[first : last + 1]],
            bucket_limit=limits[first : last + 2],
        )
        return self._one(tag, histo=bucket)

    def image(self, tag: str, image: np.ndarray) -> Any:
        """Return an image of uint8, (height, width, channels)."""
        height, width, channels = image.shape
        content = self._of.Summary.Image(
            height=height, width=width, colorspace=channels, encoded_image_string=png(image)
        )
        return self._one(tag, image=content)

    def text(self, tag: str, text: str) -> Any:
        """Return a text."""
        Shape = self._of.Shape
        kind = self._of.SummaryMetadata(
            plugin_data=self._of.SummaryMetadata.PluginData(plugin_name="text")
        )
        tensor = self._of.Tensor(
            dtype="DT_STRING",
            string_val=[text.encode()],
            tensor_shape=Shape(dim=[Shape.Dim(size=1)]),
        )
        return self._one(f"{tag}/text_summary", tensor=tensor, metadata=kind)

    def settings(self, settings: Mapping[str, Any], metrics: list[str]) -> list[Any]:
        """Return what there is to compare, and the settings of this run."""
        values = {
            name: value.item() if hasattr(value, "item") else value
            for name, value in settings.items()
            if value is not None
        }
        for name, value in values.items():
            if not isinstance(value, bool | int | float | str):
                raise ValueError(f"the setting {name!r} is no number, truth or text: {value!r}")
        hp = self._hparams
        return [
            hp.hparams_config_pb([hp.HParam(name) for name in values], map(hp.Metric, metrics)),
            hp.hparams_pb(values),
        ]


def growing_bins() -> list[float]:
    """Return limits of bins that grow by a tenth from 1e-12 to 1e20, on both sides of 0."""
    right = list(itertools.takewhile(lambda x: x < 1e20, (1e-12 * 1.1**i for i in range(1000))))
    return [-x for x in reversed(right)] + [0.0, *right]


def as_rows(image: np.ndarray, order: str) -> np.ndarray:
    """Return an image as uint8, (height, width, channels), from dimensions in another order."""
    letters = order.upper()
    if len(letters) != image.ndim or sorted(letters) not in (sorted("CHW"), sorted("HW")):
        raise ValueError(
            f"dataformats is 'CHW', 'HWC' or 'HW', one letter for each dimension; {order!r} does "
            f"not fit the shape {image.shape}"
        )
    if letters == "HW" or letters == "WH":
        image, letters = image[None], "C" + letters
    image = image.transpose([letters.index(letter) for letter in "HWC"])
    if image.shape[2] not in (1, 3, 4):
        raise ValueError(f"an image has 1, 3 or 4 channels, this one has {image.shape[2]}")
    if image.dtype == np.uint8:
        return image
    return (image.astype(np.float32) * 255).clip(0, 255).astype(np.uint8)


def as_grid(images: np.ndarray, order: str) -> np.ndarray:
    """Return images side by side, at most eight in a row."""
    letters = order.upper()
    if len(letters) != images.ndim or "N" not in letters:
        raise ValueError(
            f"dataformats is 'NCHW' or 'NHWC'; {order!r} does not fit the shape {images.shape}"
        )
    place = letters.index("N")
    rest = letters.replace("N", "")
    single = [as_rows(image, rest) for image in np.moveaxis(images, place, 0)]
    across = min(8, len(single))
    missing = math.ceil(len(single) / across) * across - len(single)
    single += [np.zeros_like(single[0])] * missing
    rows = [np.concatenate(single[i : i + across], axis=1) for i in range(0, len(single), across)]
    return np.concatenate(rows, axis=0)


def drawn(figure: Any, close: bool) -> np.ndarray:
    """Return a figure of matplotlib as an image."""
    from matplotlib import pyplot
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    image = np.asarray(canvas.buffer_rgba())[..., :3].copy()
    if close:
        pyplot.close(figure)
    return image


def png(image: np.ndarray) -> bytes:
    """Return an image of uint8, (height, width, channels), as the bytes of a PNG file."""
    height, width, channels = image.shape
    lines = np.zeros((height, 1 + width * channels), np.uint8)  # each begins with its filter: none
    lines[:, 1:] = image.reshape(height, -1)
    kind = {1: 0, 3: 2, 4: 6}[channels]
    header = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(lines.tobytes())), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in parts
    )
