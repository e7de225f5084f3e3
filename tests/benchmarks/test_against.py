"""Two checkouts, paired: each process holds the AINO that it is told to."""

import pytest

from benchmarks import against, eager


def test_a_checkout_beside_itself():
    case = next(case for case in eager.cases() if case.name.startswith("y + w"))
    result = against.compare(case, against.ROOT, rounds=5, seconds=0.001)
    assert list(result.seconds) == [against.NOW, against.BEFORE]
    assert [len(times) for times in result.seconds.values()] == [5, 5]
    assert all(time > 0 for times in result.seconds.values() for time in times)


def test_a_folder_without_aino(tmp_path, capfd):
    version = against.Version(tmp_path)
    with pytest.raises(RuntimeError, match="has ended"):
        version.ask("build", "eager", "y + w", 0.001)
    version.end()
    assert "holds no AINO" in capfd.readouterr().err
