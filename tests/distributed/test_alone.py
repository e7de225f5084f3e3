"""One process, without mpi4py: the same script does, and what needs others names the extra."""

import builtins
import subprocess
import sys
from datetime import timedelta

import pytest

import aino
from aino import distributed as dist
from aino.distributed import endings, mpi
from aino.errors import MissingExtraError
from tests.distributed.launching import ROOT


@pytest.fixture
def without_mpi(monkeypatch):
    """No mpi4py, and no launcher's word of other processes."""
    real = builtins.__import__

    def without(name, *arguments, **keywords):
        if name.partition(".")[0] == "mpi4py":
            raise ImportError(f"No module named {name!r}")
        return real(name, *arguments, **keywords)

    monkeypatch.setattr(mpi, "is_installed", lambda: False)
    monkeypatch.setattr(endings, "_jobs", [])  # what other tests have begun
    monkeypatch.setattr(builtins, "__import__", without)
    for name in mpi._COUNTS:
        monkeypatch.delenv(name, raising=False)
    yield
    if dist.is_initialized():
        dist.destroy_process_group()


def test_questions_are_answered(without_mpi):
    assert not dist.is_available()
    assert not dist.is_backend_available("mpi")
    assert not dist.is_initialized()
    assert dist.is_nccl_available() is dist.is_gloo_available() is False


def test_a_group_of_one_needs_no_mpi(without_mpi):
    dist.init_process_group("mpi", init_method="env://", timeout=timedelta(seconds=5))
    assert (dist.get_rank(), dist.get_world_size(), dist.get_backend()) == (0, 1, "mpi")
    x, parts = aino.tensor([1.0, 2.0]), [aino.zeros(2)]
    dist.all_reduce(x, dist.ReduceOp.AVG)
    dist.broadcast(x, 0)
    dist.all_gather(parts, x)
    dist.barrier()
    assert parts[0].tolist() == x.tolist() == [1.0, 2.0]
    found = [None]
    dist.all_gather_object(found, "one")
    assert found == ["one"]
    assert dist.get_rank(dist.new_group([0])) == 0


@pytest.mark.parametrize("name", mpi._COUNTS)
def test_several_without_mpi_name_the_extra(without_mpi, monkeypatch, name):
    monkeypatch.setenv(name, "2")
    with pytest.raises(MissingExtraError, match=r"aino\[mpi\]"):
        dist.init_process_group()
    assert not dist.is_initialized()


def test_the_launcher_names_the_extra():
    code = (
        "import sys; from aino.distributed import mpi, run; mpi.is_installed = lambda: False; "
        f"run.main(['-n', '2', {__file__!r}])"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=ROOT)
    assert done.returncode == 1
    assert "aino[mpi]" in done.stderr


REFUSED = {
    "nccl": ({"backend": "nccl"}, "say backend='mpi', or leave it out"),
    "gloo": ({"backend": "gloo"}, "say backend='mpi', or leave it out"),
    "an address": ({"init_method": "tcp://there:1234"}, "aino.distributed.run"),
    "a store": ({"store": object()}, "launcher has done that"),
    "another size": ({"world_size": 4, "rank": 0}, "world_size is 4"),
    "another rank": ({"rank": 1}, "rank is 1"),
    "no time": ({"timeout": timedelta(0)}, "longer than nothing"),
}


@pytest.mark.parametrize("given", REFUSED)
def test_what_means_something_else_is_refused(without_mpi, given):
    keywords, words = REFUSED[given]
    with pytest.raises(ValueError, match=words.replace("(", r"\(")):
        dist.init_process_group(**keywords)
    assert not dist.is_initialized()


def test_a_timeout_is_a_span(without_mpi):
    with pytest.raises(TypeError, match=r"datetime\.timedelta"):
        dist.init_process_group(timeout=30)


@pytest.mark.parametrize(
    "call",
    [
        dist.get_rank, dist.get_world_size, dist.barrier, dist.new_group, dist.get_backend,
        dist.destroy_process_group, lambda: dist.all_reduce(aino.ones(1)),
        lambda: dist.all_gather_object([None], 1), lambda: dist.send(aino.ones(1), 0),
    ],
)  # fmt: skip
def test_without_a_group_nothing_is_exchanged(call):
    with pytest.raises(ValueError, match="Default process group has not been initialized"):
        call()


def test_the_rank_on_a_machine_is_told_or_given(monkeypatch):
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    with pytest.raises(RuntimeError, match="LOCAL_RANK is not in the environment"):
        dist.get_node_local_rank()
    assert dist.get_node_local_rank(3) == 3
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert dist.get_node_local_rank(3) == 1


def test_backends_have_names():
    assert dist.Backend("MPI") == dist.Backend.MPI == "mpi"
