"""Settings shared by all tests: every run draws the same random numbers."""

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


@pytest.fixture(autouse=True, scope="session")
def programs_are_looked_at():
    """Verify every program after every pass."""
    from aino.compiler.pipeline import checks

    checks.after_each_pass = True


@pytest.fixture(autouse=True)
def same_random_numbers():
    """Seed NumPy's and AINO's global generators before each test."""
    import aino

    np.random.seed(0)
    if hasattr(aino, "manual_seed"):
        aino.manual_seed(0)
