"""SummaryWriter: the figures of a training in files that TensorBoard reads."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from aino.refusals import refused
from aino.utils.tensorboard import summaries

_WHY = "it is not written for TensorBoard; there are scalars, histograms, images, figures and texts"


class SummaryWriter:
    """Writes scalars, histograms, images, figures and texts where TensorBoard finds them.

    Arguments:
        log_dir: the folder, a new one under ``runs`` if it is not given.
        comment: what the name of a new folder ends with.
        purge_step: has TensorBoard forget what an earlier run wrote from this step on.
        max_queue: how many events wait until they are written.
        flush_secs: how many seconds they wait at most.
        filename_suffix: what the name of the file ends with.

    As a context it closes the file. Raises ``ImportError`` where the package ``tensorboard`` is
    not installed: ``pip install 'aino[tensorboard]'``.
    """

    def __init__(
        self,
        log_dir: Any = None,
        comment: str = "",
        purge_step: int | None = None,
        max_queue: int = 10,
        flush_secs: int = 120,
        filename_suffix: str = "",
    ) -> None:
        self._board = summaries.Board()
        if not log_dir:
            now = time.strftime("%b%d_%H-%M-%S")
            log_dir = os.path.join("runs", f"{now}_{socket.gethostname()}{comment}")
        self.log_dir = str(log_dir)
        self._settings = (max_queue, flush_secs, filename_suffix)
        self._files: dict[str, Any] = {}
        if purge_step is not None:
            self._file().add_event(self._board.restart(purge_step))
        self._file()

    def _file(self, folder: str | None = None) -> Any:
        """Return the open file of a folder, the writer's own for None."""
        folder = self.log_dir if folder is None else folder
        if folder not in self._files:
            self._files[folder] = self._board.open(folder, *self._settings)
        return self._files[folder]

    def _write(self, summary: Any, step: Any, walltime: float | None, folder: Any = None) -> None:
        step = None if step is None else int(step)
        self._file(folder).add_event(self._board.event(summary, step, walltime))

    def get_logdir(self) -> str:
        """Return the folder."""
        return self.log_dir

    def add_scalar(
        self,
        tag: str,
        scalar_value: Any,
        global_step: Any = None,
        walltime: float | None = None,
        new_style: bool = False,
        double_precision: bool = False,
    ) -> None:
        """Write a number.

        Arguments:
            tag: the name of the curve.
            scalar_value: a number, or a tensor or array of one element.
            global_step: the step at which it was measured.
            walltime: when, in seconds; now for None.
            new_style, double_precision: how PyTorch stores it; this changes nothing.
        """
        value = numbers_of(scalar_value)
        if value.size != 1:
            raise ValueError(f"a scalar is one number, {tag!r} got shape {value.shape}")
        self._write(self._board.scalar(tag, float(value.reshape(()))), global_step, walltime)

    def add_scalars(
        self,
        main_tag: str,
        tag_scalar_dict: Mapping[str, Any],
        global_step: Any = None,
        walltime: float | None = None,
    ) -> None:
        """Write several numbers, shown as curves in one picture.

        Arguments:
            main_tag: the name of the picture.
            tag_scalar_dict: the number of each curve.
            global_step, walltime: as for ``add_scalar``.
        """
        for tag, value in tag_scalar_dict.items():
            folder = os.path.join(self.log_dir, f"{main_tag.replace('/', '_')}_{tag}")
            number = float(numbers_of(value).reshape(()))
            self._write(self._board.scalar(main_tag, number), global_step, walltime, folder)

    def add_histogram(
        self,
        tag: str,
        values: Any,
        global_step: Any = None,
        bins: Any = "tensorflow",
        walltime: float | None = None,
        max_bins: int | None = None,
    ) -> None:
        """Write how values are distributed.

        Arguments:
            tag: the name of the histogram.
            values: a tensor or an array, of any shape.
            global_step, walltime: as for ``add_scalar``.
            bins: ``"tensorflow"``, whose bins grow from 1e-12 on, or what ``np.histogram`` takes.
            max_bins: how many bins there may be.

        Raises ``ValueError`` for no values, and for values that are not finite.
        """
        array = numbers_of(values).astype(np.float64).reshape(-1)
        if not array.size or not np.isfinite(array).all():
            raise ValueError(f"the histogram {tag!r} wants finite values, and one at least")
        self._write(self._board.histogram(tag, array, bins, max_bins), global_step, walltime)

    def add_image(
        self,
        tag: str,
        img_tensor: Any,
        global_step: Any = None,
        walltime: float | None = None,
        dataformats: str = "CHW",
    ) -> None:
        """Write an image.

        Arguments:
            tag: its name.
            img_tensor: uint8 numbers, or floating-point ones from 0 to 1.
            global_step, walltime: as for ``add_scalar``.
            dataformats: what the dimensions are: ``"CHW"``, ``"HWC"`` or ``"HW"``.
        """
        image = summaries.as_rows(numbers_of(img_tensor), dataformats)
        self._write(self._board.image(tag, image), global_step, walltime)

    def add_images(
        self,
        tag: str,
        img_tensor: Any,
        global_step: Any = None,
        walltime: float | None = None,
        dataformats: str = "NCHW",
    ) -> None:
        """Write images, side by side in a grid.

        Arguments:
            tag, img_tensor, global_step, walltime: as for ``add_image``.
            dataformats: ``"NCHW"`` or ``"NHWC"``.
        """
        image = summaries.as_grid(numbers_of(img_tensor), dataformats)
        self._write(self._board.image(tag, image), global_step, walltime)

    def add_figure(
        self,
        tag: str,
        figure: Any,
        global_step: Any = None,
        close: bool = True,
        walltime: float | None = None,
    ) -> None:
        """Write a figure of matplotlib as an image.

        Arguments:
            tag, global_step, walltime: as for ``add_image``.
            figure: the figure, or a list of some, which stand side by side.
            close: whether matplotlib forgets the figure afterwards.
        """
        figures = figure if isinstance(figure, list) else [figure]
        drawn = [summaries.drawn(one, close) for one in figures]
        self._write(self._board.image(tag, np.concatenate(drawn, axis=1)), global_step, walltime)

    def add_text(
        self,
        tag: str,
        text_string: str,
        global_step: Any = None,
        walltime: float | None = None,
    ) -> None:
        """Write a text, which TensorBoard takes for Markdown.

        Arguments:
            tag: its name.
            text_string: the text.
            global_step, walltime: as for ``add_scalar``.
        """
        self._write(self._board.text(tag, text_string), global_step, walltime)

    def add_hparams(
        self,
        hparam_dict: Mapping[str, Any],
        metric_dict: Mapping[str, Any],
        hparam_domain_discrete: Any = None,
        run_name: str | None = None,
        global_step: Any = None,
    ) -> None:
        """Write the settings of a run beside what it reached, for comparison with others.

        Arguments:
            hparam_dict: the settings: numbers, truths and texts.
            metric_dict: what was reached.
            hparam_domain_discrete: this changes nothing: settings may be any.
            run_name: the name of the folder, the time for None.
            global_step: the step at which it was reached.
        """
        folder = os.path.join(self.log_dir, run_name or str(time.time()))
        for summary in self._board.settings(hparam_dict, list(metric_dict)):
            self._write(summary, None, None, folder)
        for tag, value in metric_dict.items():
            number = float(numbers_of(value).reshape(()))
            self._write(self._board.scalar(tag, number), global_step, None, folder)

    add_audio = refused("utils.tensorboard.SummaryWriter.add_audio", _WHY)
    add_custom_scalars = refused("utils.tensorboard.SummaryWriter.add_custom_scalars", _WHY)
    add_embedding = refused("utils.tensorboard.SummaryWriter.add_embedding", _WHY)
    add_graph = refused(
        "utils.tensorboard.SummaryWriter.add_graph", "aino.draw draws a model, and its graph"
    )
    add_mesh = refused("utils.tensorboard.SummaryWriter.add_mesh", _WHY)
    add_onnx_graph = refused("utils.tensorboard.SummaryWriter.add_onnx_graph", _WHY)
    add_pr_curve = refused("utils.tensorboard.SummaryWriter.add_pr_curve", _WHY)
    add_video = refused("utils.tensorboard.SummaryWriter.add_video", _WHY)

    def flush(self) -> None:
        """Write what waits to be written."""
        for file in self._files.values():
            file.flush()

    def close(self) -> None:
        """Write what waits, and close the files; writing more opens new ones."""
        for file in self._files.values():
            file.close()
        self._files.clear()

    def __enter__(self) -> SummaryWriter:
        return self

    def __exit__(self, *exception: Any) -> None:
        self.close()


def numbers_of(value: Any) -> np.ndarray:
    """Return a number, a tensor or an array as an array."""
    array = value.detach().numpy() if hasattr(value, "detach") else np.asarray(value)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"expected numbers, a tensor or an array of them, got {value!r:.100}")
    return array
