"""A file of another kind is told what it looks like (DIT.md, line 6)."""

import gzip
import io
import json
import pickle
import zipfile

import numpy as np
import pytest

import aino.dit as dit
from aino.errors import DitError


def zipped(**members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, content in members.items():
            file.writestr(name.replace("__", "/"), content)
    return buffer.getvalue()


def npz(**arrays):
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def npy(array):
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


LFS = b"""version https://git-lfs.github.com/spec/v1
oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393
size 12345
"""
HEADER = json.dumps({"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()

FILES = {
    "empty": (b"", "the file is empty"),
    "LFS": (LFS, "Git LFS pointer"),
    "HTML": (b"<!DOCTYPE html>\n<html><body>404</body></html>", "looks like an HTML page"),
    "HTML after space": (b"\n\n <HTML><head></head>", "looks like an HTML page"),
    "HTML after a mark": (b"\xef\xbb\xbf<!doctype HTML>", "looks like an HTML page"),
    "XML": (b"<?xml version='1.0'?><a/>", "looks like XML"),
    "JSON": (b'{"format": "dit"}', "looks like JSON"),
    "text": (b"loss: 0.5\n" * 100, "looks like text"),
    "npy": (npy(np.ones(3)), r"a single NumPy array \(.npy\)"),
    "npz": (npz(a=np.ones(3)), r"a NumPy archive \(.npz\) of something else"),
    "compressed npz": (None, "deflated"),
    "PyTorch": (zipped(model__data__pkl=b"", **{"model/data.pkl": b"x"}), "a PyTorch checkpoint"),
    "Office": (zipped(**{"[Content_Types].xml": b""}), "an Office document"),
    "Java": (zipped(**{"META-INF/MANIFEST.MF": b""}), "a Java archive"),
    "Keras": (zipped(**{"config.json": b"{}", "model.weights.h5": b""}), "a Keras model"),
    "wheel": (zipped(**{"a/b.py": b"", "a.dist-info/METADATA": b""}), "a Python wheel"),
    "zip": (zipped(**{"photo.jpg": b"x"}), r"something else \(its first member is 'photo.jpg'\)"),
    "empty zip": (zipped(), "an empty zip archive"),
    "gzip": (gzip.compress(b"x"), "gzip-compressed data"),
    "HDF5": (b"\x89HDF\r\n\x1a\n" + bytes(100), "an HDF5 file"),
    "safetensors": (len(HEADER).to_bytes(8, "little") + HEADER + bytes(4), "a safetensors file"),
    "zeros": (bytes(1000), "begins with zeros"),
    "PNG": (b"\x89PNG\r\n\x1a\n", "a PNG picture"),
    "noise": (bytes(range(128, 256)), "looks like nothing known"),
}


@pytest.mark.parametrize("what", FILES)
def test_it_says_what_the_file_looks_like(tmp_path, what):
    content, match = FILES[what]
    path = tmp_path / "f.dit"
    if content is None:
        with path.open("wb") as file:
            np.savez_compressed(file, a=np.ones(3))
    else:
        path.write_bytes(content)
    for function in (dit.load, dit.verify, dit.describe):
        with pytest.raises(DitError, match=match) as caught:
            function(path)
        assert str(caught.value).startswith(f"{path}: ")
        assert "pickle" not in str(caught.value).removeprefix(str(path))


class Trap:
    """Would write a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (self.path, "w")


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_is_recognised_and_never_opened(tmp_path, protocol):
    path = tmp_path / "f.dit"
    for value in (Trap(str(tmp_path / "trapped")), {"w": 1}, [1]):
        path.write_bytes(pickle.dumps(value, protocol))
        with pytest.raises(DitError, match="looks like a Python pickle, which can run any code"):
            dit.load(path)
    path.write_bytes(npz(w=np.array([Trap(str(tmp_path / "trapped"))], object)))
    with pytest.raises(DitError):
        dit.load(path)
    old = {"config": np.array([Trap(str(tmp_path / "trapped"))], object), "activation": "relu"}
    path.write_bytes(npz(**old, layer_0_w=np.ones(1)))
    with pytest.raises(DitError, match=r"member 'config\.npy': holds objects") as caught:
        dit.load(path)
    assert "pickle" not in str(caught.value).replace(str(tmp_path), "")
    assert not (tmp_path / "trapped").exists()
