"""A model from ONNX, as a module whose forward is AINO's functions."""
