"""Programs walked in C by the package ``aino-native``: NumPy's loops without Python between."""
