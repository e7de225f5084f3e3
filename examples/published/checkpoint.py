"""Published checkpoints: a directory with a config.json and weights, read into a model and written.

    model = load("bert-base-uncased", BertForMaskedLM)        # a directory
    model.load_state_dict(fitting(aino.load(file), model))    # or the weights alone
    save(model, "tuned")                                      # transformers reads it, too
"""

import json
import re
from pathlib import Path

import numpy as np

import aino

#: The prefix table. What a checkpoint of a whole model, with a head on it, puts before the names
#: of the body; a checkpoint of the body alone leaves it out.
PREFIXES = {"gpt2": "transformer.", "bert": "bert.", "resnet": "resnet."}

#: What a wrapper around a model (data parallel, compiled) puts before all names.
WRAPPERS = ("module.", "_orig_mod.")

#: Names that were converted from TensorFlow, as google-bert/bert-base-uncased still has them.
OLD_ENDINGS = {"LayerNorm.gamma": "LayerNorm.weight", "LayerNorm.beta": "LayerNorm.bias"}

#: Constants that older files carry among their weights: the causal mask, the number of each place.
CONSTANTS = re.compile(
    r"(.*\.)?h\.\d+\.attn\.(bias|masked_bias)|(.*\.)?embeddings\.(position_ids|token_type_ids)"
)


def fitting(state, model, new=()):
    """Return a published state dict under the names of a model, for its `load_state_dict`.

    Prefixes and old endings are changed by the tables above, constants are left out, and what
    stands in `model.unused`, the heads of other models. What the model has under two names, as
    tied embeddings, the state may have under one. Names that begin with one of ``new`` and are
    missing keep the model's own values: those of a head that is still to be trained.

    Raises ValueError when two names become one, or two values are given for what is tied.
    """
    own = model.state_dict()
    prefix = PREFIXES[model.config.model_type]
    found = {}
    for wrapper in WRAPPERS:
        if state and all(name.startswith(wrapper) for name in state):
            state = {name.removeprefix(wrapper): value for name, value in state.items()}
    for given, value in state.items():
        name = given
        for old, ending in OLD_ENDINGS.items():
            name = name.removesuffix(old) + ending if name.endswith(old) else name
        if CONSTANTS.fullmatch(name):
            continue
        alike = (name, prefix + name, name.removeprefix(prefix))
        name = next((candidate for candidate in alike if candidate in own), name)
        if name not in own and name.startswith(tuple(model.unused)):
            continue
        if name in found:
            raise ValueError(f"{given} and another name both stand for {name}")
        found[name] = value
    for names in tied(model):
        there = [name for name in names if name in found]
        for name in there[1:]:
            if not np.array_equal(np.asarray(found[name]), np.asarray(found[there[0]])):
                raise ValueError(f"{there[0]} and {name} differ, but the model has one for both")
        if there:
            found |= dict.fromkeys(names, found[there[0]])
    missing = {name: own[name] for name in own if name not in found}
    return found | {name: v for name, v in missing.items() if new and name.startswith(tuple(new))}


def tied(model):
    """Return the lists of names under which a model has one and the same parameter."""
    names = {}
    for name, parameter in model.named_parameters(remove_duplicate=False):
        names.setdefault(id(parameter), []).append(name)
    return [several for several in names.values() if len(several) > 1]


def load(directory, kind, new=(), **changes):
    """Return a model of a class, with the settings and weights of a directory.

    ``new`` is that of `fitting`; ``changes`` are settings to take instead of the file's.
    """
    settings = json.loads((Path(directory) / "config.json").read_text(encoding="utf-8"))
    model = kind(kind.config_class.from_dict(settings | changes))
    model.load_state_dict(fitting(aino.load(directory), model, new))
    return model


def save(model, directory):
    """Write config.json and model.safetensors, as transformers would: what is tied once."""
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    again = {name for names in tied(model) for name in names[1:]}
    state = {name: value for name, value in model.state_dict().items() if name not in again}
    settings = model.config.to_dict() | {"architectures": [type(model).__name__]}
    (directory / "config.json").write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
    aino.save(state, directory / "model.safetensors", metadata={"format": "pt"})
