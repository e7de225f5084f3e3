"""Calls of functions on other ranks, which are not there: ranks exchange tensors and objects."""

from aino.refusals import refused

_WHY = "all ranks run the same script; exchange tensors by send and recv, objects by the _object "
_WHY += "forms of the collectives"
init_rpc = refused("distributed.rpc.init_rpc", _WHY)
rpc_sync = refused("distributed.rpc.rpc_sync", _WHY)
rpc_async = refused("distributed.rpc.rpc_async", _WHY)
remote = refused("distributed.rpc.remote", _WHY)
shutdown = refused("distributed.rpc.shutdown", _WHY)
