"""NumPy's functions on tensors: ``np.exp(t)``, ``np.add.reduce(t)``, ``np.concatenate([t, u])``.

NumPy asks a tensor what its functions mean (NEP 13 and NEP 18); the tables here answer, with
NumPy's names, arguments and defaults. The rules of the calculus are written in NumPy, so it is
through here that they meet tensors and become differentiable again.
"""

from aino.ops.tensor.numpy_protocol.functions import array_function
from aino.ops.tensor.numpy_protocol.ufuncs import array_ufunc
