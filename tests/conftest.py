"""Settings shared by all tests: every run draws the same random numbers."""

import gc
import os

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

# A shared machine stalls now and then, and a deadline would blame the code for it. Examples are
# derived from the test's own text, so that a failure in CI is the same failure everywhere.
settings.register_profile(
    "aino",
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("aino")

#: What the compiler says in a Python whose bytecode it doesn't know.
UNREAD = "is not understood in Python"


def pytest_configure(config):
    """Give each of several workers its share of the cores.

    The threads of NumPy's BLAS wait for one another in loops. Where more of them want to run than
    there are cores, a product of 20 microseconds takes milliseconds.
    """
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", 1))
    if workers > 1:
        from aino.num_threads import _set_blas
        from aino.threads import CORES

        share = max(1, CORES // workers)
        _set_blas(share)
        os.environ.setdefault("OPENBLAS_NUM_THREADS", str(share))  # for the processes of tests


@pytest.fixture(autouse=True, scope="session")
def programs_are_looked_at():
    """Verify every program after every pass."""
    from aino.compiler.pipeline import checks

    checks.after_each_pass = True


@pytest.fixture(autouse=True, scope="session")
def eager_calls_are_made_in_c_at_once():
    """Where ``aino-native`` is there, every call tries it, not those after some dozens alone."""
    from aino.autograd import native

    native.PATIENCE = 0


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Skip what asks for a program in a Python whose bytecode the compiler doesn't know."""
    report = yield
    if report.failed and UNREAD in str(call.excinfo.value):
        from aino.compiler.guards import bytecode

        if not bytecode.UNDERSTOOD:
            report.outcome = "skipped"
            report.longrepr = (*item.location[:2], "nothing is compiled in this Python")
    return report


def pytest_collection_finish(session):
    """Let the garbage collector leave alone what is there before the first test.

    Tests by the ten thousands are a million objects, and a hundred tests collect garbage.
    """
    gc.collect()
    gc.freeze()

    from aino.compiler.guards import bytecode

    if not bytecode.UNDERSTOOD:  # functions go on uncompiled there, and do the same
        session.config.addinivalue_line(
            "filterwarnings", f"ignore:.*{UNREAD}:aino.errors.CompileWarning"
        )


def pytest_runtest_setup(item):
    """Seed NumPy's and AINO's global generators before each test, and let AINO use two threads.

    A test that sets the number of threads to what it was may have found one for the BLAS alone.
    A hook, and no fixture: that costs a tenth as much, fifty thousand times.
    """
    import aino
    from aino.threads import worker

    np.random.seed(0)
    aino.manual_seed(0)
    worker.alone = False
