"""What arrays give back is kept: large temporaries cost no page faults after the first time."""

import os
import subprocess
import sys

import pytest

from aino import allocator

FAULTS = """
import resource
import aino

x = aino.zeros(1024, 512, requires_grad=True)


def step():
    (x.tanh() * x.exp()).sum().backward()
    x.grad = None


def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


step(), step()
before = faults()
for _ in range(10):
    step()
print(faults() - before)
"""
CHOICES = "MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_"


def faults(**chosen):
    environment = {name: value for name, value in os.environ.items() if name not in CHOICES}
    environment |= {**chosen, "PYTHONPATH": os.pathsep.join(filter(None, ["", *sys.path]))}
    command = [sys.executable, "-c", FAULTS]
    return int(subprocess.run(command, env=environment, capture_output=True, check=True).stdout)


@pytest.mark.skipif(not allocator.keep_freed_memory(), reason="the C library is not glibc")
def test_no_page_is_asked_for_twice():
    assert faults() < 100  # 5 arrays of 512 pages a step


@pytest.mark.skipif(not allocator.keep_freed_memory(), reason="the C library is not glibc")
def test_who_chose_thresholds_keeps_them():
    assert faults(MALLOC_TRIM_THRESHOLD_="131072") > 1000


@pytest.mark.parametrize("name", CHOICES)
def test_the_environment_decides(monkeypatch, name):
    monkeypatch.setenv(name, "1000000")
    assert not allocator.keep_freed_memory()


def test_elsewhere_nothing_is_changed(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not allocator.keep_freed_memory()


def test_another_c_library_is_left_alone(monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(allocator.ctypes, "CDLL", lambda name: object())
    assert not allocator.keep_freed_memory()
