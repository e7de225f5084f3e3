"""Models cut into stages on several ranks, which are not there."""

from aino.refusals import refused, refused_class

_WHY = "every rank has the whole model; wrap it in nn.parallel.DistributedDataParallel"
pipeline = refused("distributed.pipelining.pipeline", _WHY)
PipelineStage = refused_class("distributed.pipelining.PipelineStage", _WHY)
ScheduleGPipe = refused_class("distributed.pipelining.ScheduleGPipe", _WHY)
