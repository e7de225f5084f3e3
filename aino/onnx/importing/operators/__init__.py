"""ONNX's operators as AINO's functions, one family a file: importing one enters its rows."""

from aino.onnx.importing.operators import activation, elementwise, reduce, shape
