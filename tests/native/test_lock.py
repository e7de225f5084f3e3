"""The lock of a call, which C takes: one thread at a time, which may take it again."""

import threading
import time

import pytest

native = pytest.importorskip("aino_native")


def test_a_lock_is_taken_by_one_thread_and_again_by_that():
    lock, order = native.Lock(), []

    def wait():
        with lock:
            order.append("other")

    thread = threading.Thread(target=wait)
    with lock:
        thread.start()
        assert lock.acquire() is True
        with lock:
            order.append("mine")
        thread.join(0.05)
        lock.release()
        assert order == ["mine"]
    thread.join()
    assert order == ["mine", "other"]
    for release in (lock.release, lambda: lock.__exit__(None, None, None)):
        with pytest.raises(RuntimeError, match="by the thread that has taken it"):
            release()
    taken = threading.Thread(target=lock.acquire)
    taken.start()
    taken.join()
    with pytest.raises(RuntimeError, match="by the thread that has taken it"):
        lock.release()
    with pytest.raises(TypeError):
        native.Lock(1)
    with pytest.raises(ZeroDivisionError), native.Lock():
        1 / 0


def test_a_lock_lets_one_in_at_a_time_and_all_in_the_end():
    lock, inside, most, done = native.Lock(), [0], [0], []

    def enter():
        for _ in range(100):
            with lock, lock:
                inside[0] += 1
                time.sleep(0)  # others run, and come to the lock
                most[0] = max(most[0], inside[0])
                inside[0] -= 1
        done.append(True)

    threads = [threading.Thread(target=enter, daemon=True) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert (len(done), most, inside) == (6, [1], [0])
