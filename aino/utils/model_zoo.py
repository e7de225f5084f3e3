"""``torch.utils.model_zoo``'s name: AINO fetches no weights from the network."""

from aino.hub import WEIGHTS
from aino.refusals import refused

__all__ = ["load_url"]

load_url = refused("utils.model_zoo.load_url", WEIGHTS)
