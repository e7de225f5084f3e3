"""What tests need: tensors that are nearly equal, and tensors of random numbers."""

from aino.testing.comparison import assert_close
from aino.testing.creation import make_tensor

__all__ = ["assert_close", "make_tensor"]
