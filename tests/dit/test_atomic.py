"""A file appears whole or not at all (DIT.md, lines 1, 2 and 4)."""

import errno
import os
import signal
import stat
import threading
import time
import warnings

import numpy as np
import pytest

import aino.dit as dit
from aino.autograd.tensor import Tensor
from aino.dit import atomic
from aino.errors import DitError
from tests.dit import fakes

resource = pytest.importorskip("resource")  # and with it all that POSIX has

CALLS = ("open", "write", "lseek", "fsync", "fchmod", "close", "replace", "stat", "unlink")


def state(fill):
    """Something to save: a large tensor in several chunks, and small ones."""
    return {
        "large": Tensor(np.full(700_000, fill, np.float32)),
        "small": [Tensor(np.array([fill], np.int64)), fill],
    }


class Interposed:
    """Counts the system calls of a save, and lets something happen at one of them."""

    def __init__(self, monkeypatch, at, event):
        self.count = 0
        self.names = []
        for name in CALLS:
            original = getattr(os, name)
            monkeypatch.setattr(atomic.os, name, self.wrap(name, original, at, event))

    def wrap(self, name, original, at, event):
        def call(*args, **kwargs):
            self.count += 1
            self.names.append(name)
            if self.count == at:
                return event(original, *args, **kwargs)
            return original(*args, **kwargs)

        return call


def die_before(original, *args, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)


def die_after(original, *args, **kwargs):
    try:
        original(*args, **kwargs)
    finally:
        os.kill(os.getpid(), signal.SIGKILL)


def die_halfway(original, *args, **kwargs):
    if len(args) == 2 and isinstance(args[1], memoryview):
        args = args[0], args[1][: len(args[1]) // 2]
    die_after(original, *args, **kwargs)


def in_child(function):
    """Run a function in a child process; its exit status."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            function()
            status = 0
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.parametrize("event", [die_before, die_after, die_halfway])
@pytest.mark.parametrize("exists", [True, False])
def test_killed_at_any_system_call_it_leaves_the_old_file_or_the_new(
    tmp_path, monkeypatch, event, exists
):
    path = tmp_path / "state.dit"
    dit.save(state(2), path)
    new = path.read_bytes()
    dit.save(state(1), path)
    old = path.read_bytes() if exists else None
    found = []
    for at in range(1, 200):
        if exists:
            path.write_bytes(old)
        else:
            path.unlink(missing_ok=True)

        def save(at=at):
            Interposed(monkeypatch, at, event)
            dit.save(state(2), path)

        status = in_child(save)
        found.append(path.read_bytes() if path.exists() else None)
        assert found[-1] in (old, new), at
        if status == 0:
            break
        assert status == -signal.SIGKILL
    assert status == 0
    assert found[-1] == new
    assert len(found) > 30
    # It was the old one for long, and then the new one for good.
    assert found == [old] * found.index(new) + [new] * (len(found) - found.index(new))
    assert found.count(new) >= 3


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
def test_a_failure_of_any_system_call_leaves_the_old_file_and_nothing_else(
    tmp_path, monkeypatch, code
):
    path = tmp_path / "state.dit"
    dit.save(state(1), path)
    old = path.read_bytes()

    def fail(original, *args, **kwargs):
        raise OSError(code, os.strerror(code))

    for at in range(1, 200):
        with monkeypatch.context() as patch, warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            calls = Interposed(patch, at, fail)
            try:
                dit.save(state(2), path)
            except DitError as error:
                message = str(error)
                saved = False
            else:
                saved = True
        if saved:
            assert path.read_bytes() != old
            dit.verify(path)
            if calls.count < at:
                break
            # Only the flush of the folder may fail after the new file is in its place.
            assert "could not be flushed" in str(caught[0].message)
            path.write_bytes(old)
        else:
            assert os.strerror(code) in message
            assert str(path) in message
            assert path.read_bytes() == old
        assert os.listdir(tmp_path) == ["state.dit"], calls.names
    assert at > 30


def test_a_file_that_grows_too_large_leaves_nothing(tmp_path):
    """A limit of the system itself, instead of a simulated one."""
    path = tmp_path / "state.dit"
    dit.save(state(1), path)
    old = path.read_bytes()

    def save():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
        with pytest.raises(DitError, match="File too large"):
            dit.save(state(2), path)

    assert in_child(save) == 0
    assert path.read_bytes() == old
    assert os.listdir(tmp_path) == ["state.dit"]


def test_an_interrupted_save_leaves_nothing(tmp_path, monkeypatch):
    path = tmp_path / "state.dit"
    dit.save(state(1), path)
    old = path.read_bytes()

    def interrupt(original, *args, **kwargs):
        raise KeyboardInterrupt

    for at in (5, 15, 25):
        with monkeypatch.context() as patch:
            Interposed(patch, at, interrupt)
            with pytest.raises(KeyboardInterrupt):
                dit.save(state(2), path)
        assert path.read_bytes() == old
        assert os.listdir(tmp_path) == ["state.dit"]


def test_short_writes_are_continued(tmp_path, monkeypatch):
    path = tmp_path / "state.dit"
    write = os.write
    monkeypatch.setattr(atomic.os, "write", lambda file, data: write(file, data[:100_001]))
    dit.save(state(3), path)
    assert np.array_equal(dit.load(path)["large"].array, state(3)["large"].array)


def test_the_data_is_on_the_disk_before_the_name_changes(tmp_path, monkeypatch):
    calls = Interposed(monkeypatch, 0, None)
    dit.save(state(3), tmp_path / "state.dit")
    order = [name for name in calls.names if name in ("write", "fsync", "replace", "close")]
    end = order.index("replace")
    assert order[end - 2 : end] == ["fsync", "close"]
    assert "write" not in order[end:]
    assert order[end + 1 :] == ["fsync", "close"]


def test_two_writers_and_a_reader_see_only_complete_files(tmp_path):
    path = tmp_path / "state.dit"
    dit.save(state(1), path)
    complete = dict.fromkeys((1, 2))
    for fill in complete:
        dit.save(state(fill), tmp_path / "one")
        complete[fill] = (tmp_path / "one").read_bytes()
    (tmp_path / "one").unlink()

    def write(fill):
        for _ in range(25):
            dit.save(state(fill), path)

    children = []
    for fill in complete:
        child = os.fork()
        if child == 0:
            status = 1
            try:
                write(fill)
                status = 0
            finally:
                os._exit(status)
        children.append(child)
    seen = set()
    while children:
        value = dit.load(path)
        assert value["large"].array[0] == value["large"].array[-1] == value["small"][1]
        seen.add(value["small"][1])
        done, status = os.waitpid(-1, os.WNOHANG)
        if done:
            assert status == 0
            children.remove(done)
    assert seen == {1, 2}
    assert path.read_bytes() in complete.values()
    assert os.listdir(tmp_path) == ["state.dit"]


def test_killed_at_random_moments_it_leaves_a_complete_file(tmp_path):
    path = tmp_path / "state.dit"
    dit.save(state(0), path)
    for attempt in range(12):
        child = os.fork()
        if child == 0:
            try:
                for fill in range(1, 1000):
                    dit.save(state(fill), path)
            finally:
                os._exit(1)
        time.sleep(0.01 + 0.007 * attempt)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        value = dit.load(path)
        assert value["large"].array[-1] == value["small"][1]
        dit.verify(path)


def test_an_array_that_changes_during_the_save_makes_no_torn_file(tmp_path):
    array = np.zeros(2_000_000, np.float32)
    stop = threading.Event()

    def change():
        while not stop.is_set():
            np.add(array, 1, out=array)

    thread = threading.Thread(target=change)
    thread.start()
    try:
        for _ in range(5):
            dit.save({"w": array}, tmp_path / "s.dit")
            dit.verify(tmp_path / "s.dit")
    finally:
        stop.set()
        thread.join()


def test_a_reader_keeps_the_file_that_it_opened(tmp_path):
    path = tmp_path / "state.dit"
    dit.save(state(1), path)
    mapped = dit.load(path, mmap=True)
    dit.save(state(2), path)
    assert (mapped["large"].array == 1).all()
    assert (dit.load(path)["large"].array == 2).all()


def test_a_mapped_model_is_saved_over_its_own_file(tmp_path):
    path = tmp_path / "m.dit"
    dit.save(fakes.Line(300, 300), path)
    model = dit.load(path, mmap=True)
    model.weight.array[:] = 7
    dit.save(model, path)
    assert (dit.load(path).weight.array == 7).all()


# --- where a file can be put ---------------------------------------------------------------------


def test_permissions_are_kept_and_links_are_followed(tmp_path):
    path = tmp_path / "state.dit"
    dit.save(1, path)
    path.chmod(0o640)
    (tmp_path / "link").symlink_to("state.dit")
    dit.save(2, tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert dit.load(path) == 2


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o400, 0o000, 0o666, 0o604])
@pytest.mark.parametrize("umask", [0o022, 0o000])
def test_the_new_file_is_never_more_readable_than_the_old_one(tmp_path, monkeypatch, mode, umask):
    path = tmp_path / "state.dit"
    dit.save(state(1), path)
    path.chmod(mode)
    seen = []
    write, opened = os.write, os.open

    def look(file):
        seen.append(stat.S_IMODE(os.fstat(file).st_mode))
        return file

    monkeypatch.setattr(atomic.os, "write", lambda file, data: write(look(file), data))
    monkeypatch.setattr(
        atomic.os, "open", lambda *a: look(opened(*a)) if len(a) == 3 else opened(*a)
    )
    monkeypatch.setattr(atomic.os, "access", lambda *a: True)  # 0o000 is for root to replace
    before = os.umask(umask)
    try:
        dit.save(state(2), path)
    finally:
        os.umask(before)
    assert len(seen) > 3
    assert all(found & ~mode == 0 for found in seen)
    assert set(seen[1:]) == {mode}
    assert stat.S_IMODE(path.stat().st_mode) == mode


def test_a_file_that_is_closed_to_others_during_a_save_stays_closed(tmp_path, monkeypatch):
    path = tmp_path / "state.dit"
    dit.save(state(1), path)
    write = os.write

    def tighten(file, data):
        path.chmod(0o600)
        return write(file, data)

    monkeypatch.setattr(atomic.os, "write", tighten)
    dit.save(state(2), path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="root gives groups")
@pytest.mark.parametrize("allowed", [True, False])
def test_another_group_is_kept_or_gets_no_more_than_everybody(tmp_path, monkeypatch, allowed):
    path = tmp_path / "state.dit"
    dit.save(state(1), path)
    os.chown(path, -1, os.getegid() + 1)
    path.chmod(0o664)

    def refuse(*args):
        raise PermissionError(errno.EPERM, "no")

    if not allowed:
        monkeypatch.setattr(atomic.os, "fchown", refuse)
    dit.save(state(2), path)
    found = path.stat()
    assert found.st_gid == os.getegid() + allowed
    assert stat.S_IMODE(found.st_mode) == (0o664 if allowed else 0o644)


def test_a_new_file_has_the_usual_permissions(tmp_path):
    before = os.umask(0o027)
    try:
        dit.save(1, tmp_path / "a")
        (tmp_path / "b").touch()
    finally:
        os.umask(before)
    assert (tmp_path / "a").stat().st_mode == stat.S_IFREG | 0o640


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root writes anywhere")
def test_a_write_protected_file_is_kept(tmp_path):
    path = tmp_path / "state.dit"
    dit.save(1, path)
    path.chmod(0o444)
    with pytest.raises(DitError, match="write-protected"):
        dit.save(2, path)
    assert dit.load(path) == 1


@pytest.mark.parametrize(
    "name", ["", "no/such/folder/x.dit", "x\0y", "folder", "folder/", "pipe", "n" * 300]
)
def test_places_where_no_file_can_be_are_refused(tmp_path, name):
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DitError):
        dit.save(1, f"{tmp_path}/{name}")
    assert sorted(os.listdir(tmp_path)) == ["folder", "pipe"]
    assert os.listdir(tmp_path / "folder") == []


@pytest.mark.parametrize("path", [None, 3, object()])
def test_what_is_no_path_is_refused(path):
    for function in (dit.load, dit.verify, dit.describe, lambda p: dit.save(1, p)):
        with pytest.raises(DitError, match="expected a path"):
            function(path)


def test_a_path_may_be_text_bytes_or_a_path(tmp_path):
    for path in (tmp_path / "a", str(tmp_path / "b"), os.fsencode(tmp_path / "ä")):
        dit.save(5, path)
        assert dit.load(path) == 5


def test_a_missing_file_is_also_a_file_not_found_error(tmp_path):
    for function in (dit.load, dit.verify, dit.describe):
        with pytest.raises(FileNotFoundError, match="no such file"):
            function(tmp_path / "nothing.dit")
        with pytest.raises(DitError, match="no such file"):
            function(tmp_path / "nothing.dit")


def test_what_is_no_regular_file_is_not_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for place in (tmp_path, tmp_path / "pipe", "/dev/zero"):
        with pytest.raises(DitError, match="not a regular file"):
            dit.load(place)
