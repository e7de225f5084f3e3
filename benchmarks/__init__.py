"""AINO beside its peers: ``python -m benchmarks [names]``."""
