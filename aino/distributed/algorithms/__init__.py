"""What goes beyond single collectives: ``Join`` for uneven inputs, hooks on gradient buckets."""

from aino.distributed.algorithms.join import Join, Joinable, JoinHook

__all__ = ["Join", "JoinHook", "Joinable"]
