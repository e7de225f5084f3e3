"""``torch.hub``'s names: AINO fetches neither code nor weights from the network."""

from __future__ import annotations

from aino.refusals import refused

_NAMES = ("list", "help", "load", "get_dir", "set_dir")
_FILES = ("load_state_dict_from_url", "download_url_to_file")
_CODE = (
    "code from the network is not run; install the model's package, or copy its file, and import it"
)
WEIGHTS = (
    "nothing is fetched from the network; download the file yourself, and give its arrays to "
    "model.load_state_dict"
)

for _name in _NAMES:
    globals()[_name] = refused(f"hub.{_name}", _CODE)
for _name in _FILES:
    globals()[_name] = refused(f"hub.{_name}", WEIGHTS)

__all__ = [*_NAMES, *_FILES]


def __dir__() -> list[str]:
    return __all__
