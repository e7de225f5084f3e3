"""Calls of those operations whose shapes stand in their arguments, on 100,000 elements."""

from __future__ import annotations

from tests.calculus.row import Case, case, definite, nonzero, positive, real

MATRIX = real(250, 400)
HALVES = [200, 200]

CASES: dict[str, Case] = {
    "as_strided_scatter (values)": case(MATRIX, real(250, 200), (250, 200), (400, 2)),
    "broadcast_to": case(real(400), (250, 400)),
    "cross": case(real(33_000, 3), real(33_000, 3), dim=1),
    "dsplit": case(real(25, 40, 100), 2),
    "fft.fftfreq": case(100_000),
    "fft.rfftfreq": case(200_000),
    "glu": case(nonzero(250, 400)),
    "istft": case(real(201, 500), real(201, 500), 400, window=positive(400)),
    "linalg.cross": case(real(33_000, 3), real(33_000, 3)),
    "lobpcg": case(definite(316, 316), 4, X=real(316, 4).constant()),
    "nn.functional.layer_norm": case(MATRIX, (400,), real(400), real(400)),
    "nn.functional.pad": case(MATRIX, (10, 20), "replicate"),
    "nn.functional.rms_norm": case(nonzero(250, 400), (400,), real(400)),
    "reshape": case(MATRIX, (400, 250)),
    "reshape_as": case(MATRIX, real(400, 250)),
    "slice_scatter": case(MATRIX, real(250, 200), 1, 0, 400, 2),
    "split_with_sizes": case(real(400, 250), HALVES),
    "split_with_sizes_copy": case(MATRIX, HALVES, 1),
    "stft": case(real(100_000), 400, window=positive(400), return_complex=True),
    "stft of complex signals": case(real(50_000), 400, window=positive(400)),
    "unflatten": case(MATRIX, 1, (20, 20)),
    "unsafe_split_with_sizes": case(real(400, 250), HALVES),
    "view": case(MATRIX, (400, 250)),
    "view_as": case(MATRIX, real(400, 250)),
    "view_as_complex": case(real(50_000, 2)),
    "view_as_complex_copy": case(real(50_000, 2)),
    "view_copy": case(MATRIX, (400, 250)),
    "vsplit": case(MATRIX, 2),
}
