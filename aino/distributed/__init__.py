"""``torch.distributed``'s words over MPI: several processes that compute together.

``python -m aino.distributed.run -n 2 script.py`` starts two on this machine, with ``--hosts a,b``
on several; ``pip install 'aino[mpi]'`` brings what they need.
"""

from aino.distributed.absent import (
    CLASSES as _CLASSES,
)
from aino.distributed.absent import (
    FUNCTIONS as _FUNCTIONS,
)
from aino.distributed.absent import (
    is_backend_available,
    is_gloo_available,
    is_nccl_available,
    is_torchelastic_launched,
    is_ucc_available,
    is_xccl_available,
)
from aino.distributed.collectives import (
    all_gather,
    all_gather_into_tensor,
    all_gather_single,
    all_reduce,
    all_to_all,
    all_to_all_single,
    barrier,
    broadcast,
    gather,
    monitored_barrier,
    reduce,
    reduce_scatter,
    reduce_scatter_single,
    reduce_scatter_tensor,
    scatter,
)
from aino.distributed.grad_bucket import GradBucket
from aino.distributed.groups import (
    Backend,
    GroupMember,
    ProcessGroup,
    default_pg_timeout,
    destroy_process_group,
    group,
    init_process_group,
    is_available,
    is_initialized,
    new_group,
)
from aino.distributed.membership import (
    get_backend,
    get_global_rank,
    get_group_rank,
    get_node_local_rank,
    get_process_group_ranks,
    get_rank,
    get_world_size,
)
from aino.distributed.mpi import is_installed as is_mpi_available
from aino.distributed.objects import (
    all_gather_object,
    broadcast_object_list,
    gather_object,
    recv_object_list,
    scatter_object_list,
    send_object_list,
)
from aino.distributed.point_to_point import P2POp, batch_isend_irecv, irecv, isend, recv, send
from aino.distributed.reduce_op import ReduceOp
from aino.distributed.work import Work
from aino.errors import DistBackendError, DistError

globals().update(_FUNCTIONS | _CLASSES)
