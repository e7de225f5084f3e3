"""A compiled program, written as ONNX."""
