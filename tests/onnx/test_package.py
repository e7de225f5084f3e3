"""aino.onnx costs nothing before it is used, and names its extra where that is missing."""

import sys

import pytest

from aino.onnx.package import onnx_package


def test_without_onnx_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r"pip install 'aino\[onnx\]'"):
        onnx_package()
