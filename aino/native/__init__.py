"""What C is told of arrays, kernels and rules, where the package ``aino-native`` is there."""
