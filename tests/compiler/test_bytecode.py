"""The bytecode of every Python that there is on this machine is read alike."""

import os
import subprocess
import sys

import pytest

from aino.compiler.guards import bytecode
from tests.pythons import ask, candidates, folders

VERSIONS = [f"python3.{minor}" for minor in range(11, 14)]
SCRIPT = """
import sys, types
sys.path.insert(0, {folder!r})
import bytecode

source = '''
def deep(self, n, cfg):
    a = self.one.two["k"][0] if type(n) is int else G["x"]
    with self.lock:
        a += sum(part.weight for part in self.parts)
    match cfg:
        case Kind(field=f):
            a += f
    return a + getattr(self, "named") + self.table.get("entry", 1.0) + helper(cfg).of_result
'''
whole = bytecode.codes_within(compile(source, "<test>", "exec"))
summary = bytecode.summary_of(whole[0])
chains = {{chain._replace(wrapped="") for chain in summary.chains}}
Chain = bytecode.Chain
expected = [
    Chain("local", "self", (("attr", "one"), ("attr", "two"), ("item", "k"), ("item", 0))),
    Chain("global", "G", (("item", "x"),)),
    Chain("local", "self", (("attr", "lock"),)),
    Chain("local", "self", (("attr", "parts"),)),
    Chain("local", "self", (("attr", "table"), ("get", "entry"))),
]
missing = [chain for chain in expected if chain not in chains]
assert not missing, (missing, chains)
assert {{"of_result", "named"}} <= summary.loose, summary.loose
assert summary.reflective
assert summary.types == {{"n"}}, summary.types
assert "weight" in {{key for code in whole for chain in bytecode.summary_of(code).chains
                     for _, key in chain.path}}
print(bytecode.UNDERSTOOD)
"""


@pytest.mark.parametrize("version", VERSIONS)
def test_chains_are_found_in_every_version(version):
    called_so = [path for path in candidates(folders()) if path.name == version]
    found = [python.path for python in ask(called_so)]
    if version == f"python3.{sys.version_info[1]}":
        found = [sys.executable]
    if not found:
        pytest.skip(f"{version} is not here")
    script = SCRIPT.format(folder=os.path.dirname(bytecode.__file__))
    done = subprocess.run([found[-1], "-c", script], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "True", done.stderr


def test_a_reader_that_reads_amiss_is_not_trusted(monkeypatch):
    assert bytecode._understood()
    monkeypatch.setattr(bytecode, "_ATTRIBUTES", ())
    assert not bytecode._understood()
