"""How far one distribution is from another: the divergence of Kullback and Leibler."""

from aino.distributions.kl import different, same
from aino.distributions.kl.registry import kl_divergence, register_kl

__all__ = ["kl_divergence", "register_kl"]
