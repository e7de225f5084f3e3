"""What a config.json says of a model: every setting is known, harmless, or refused by its name."""

import json
from dataclasses import fields
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin

from aino import nn

#: The activations, by the names that config.json has for them.
ACTIVATIONS = {
    "gelu": nn.GELU,
    "gelu_new": lambda: nn.GELU("tanh"),
    "gelu_pytorch_tanh": lambda: nn.GELU("tanh"),
    "linear": nn.Identity,
    "mish": nn.Mish,
    "relu": nn.ReLU,
    "sigmoid": nn.Sigmoid,
    "silu": nn.SiLU,
    "swish": nn.SiLU,
    "tanh": nn.Tanh,
}

#: Settings of any config.json that change nothing of what a model computes from given numbers:
#: where it came from, how text is generated with it, in which dtype it was stored.
HARMLESS = (
    "_name_or_path", "_num_labels", "architectures", "attn_implementation", "bos_token_id",
    "chunk_size_feed_forward", "do_sample", "dtype", "eos_token_id", "finetuning_task",
    "gradient_checkpointing", "initializer_range", "max_length", "min_length", "num_beams",
    "output_attentions", "output_hidden_states", "output_past", "pad_token_id", "problem_type",
    "repetition_penalty", "return_dict", "task_specific_params", "temperature", "tokenizer_class",
    "top_k", "top_p", "torch_dtype", "torchscript", "transformers_version", "use_cache",
)  # fmt: skip

#: Settings that change what a model computes, and what they have to be here.
FIXED = (
    ("add_cross_attention", False),
    ("is_decoder", False),
    ("is_encoder_decoder", False),
    ("pruned_heads", {}),
    ("tie_encoder_decoder", False),
)


def activation(name):
    """Return the activation module of this name in a config.json."""
    if name not in ACTIVATIONS:
        raise ValueError(f"unknown activation {name!r}; there are {', '.join(sorted(ACTIVATIONS))}")
    return ACTIVATIONS[name]()


def _fields(config: Any):
    """Return the fields of a configuration, which is a dataclass."""
    return fields(config)


class Settings:
    """What the configurations share, which are dataclasses with the names of config.json.

    ``labels`` stands for the file's `id2label`: the names of the classes, in order.
    """

    model_type = ""
    harmless = ()
    fixed = ()

    @classmethod
    def from_json(cls, path):
        """Return the configuration that a config.json describes."""
        return cls.from_dict(json.loads(Path(path).read_text(encoding="utf-8")))

    @classmethod
    def from_dict(cls, settings):
        """Return the configuration that a config.json describes, given as a dictionary.

        Raises ValueError for a setting that might change the model's function and is unknown.
        """
        kind = settings.get("model_type", cls.model_type)
        if kind != cls.model_type:
            raise ValueError(f"the configuration is of model_type {kind!r}, not {cls.model_type!r}")
        known = {field.name for field in _fields(cls)}
        fixed = dict(FIXED + cls.fixed)
        harmless = {"model_type", *_LABELS, *HARMLESS, *cls.harmless}
        given = {}
        for name, value in settings.items():
            if name in known:
                given[name] = value
            elif name in fixed:
                if value is not None and value != fixed[name]:
                    raise ValueError(
                        f"{name} is {value!r}; {cls.__name__} can {fixed[name]!r} alone"
                    )
            elif name not in harmless:
                raise ValueError(
                    f"{cls.__name__} does not know the setting {name} = {value!r}, which may "
                    "change what the model computes; if it does not, leave it out"
                )
        if "labels" in known - {*given}:
            labels = _labels(settings)
            given |= {"labels": labels} if labels else {}
        return cls(**given)

    def to_dict(self):
        """Return what stands in a config.json."""
        settings: dict[str, Any] = {"model_type": self.model_type}
        settings |= {field.name: getattr(self, field.name) for field in _fields(self)}
        labels = settings.pop("labels", None)
        if labels is not None:
            settings["id2label"] = {str(number): label for number, label in enumerate(labels)}
            settings["label2id"] = {label: number for number, label in enumerate(labels)}
        return settings

    def __post_init__(self):
        for field in _fields(self):
            value = getattr(self, field.name)
            if isinstance(value, list):
                value = tuple(value)
                object.__setattr__(self, field.name, value)
            if not _is(field.type, value):
                kind = getattr(field.type, "__name__", field.type)
                raise TypeError(f"{field.name} is {value!r}, which is no {kind}")


_LABELS = ("id2label", "label2id", "num_labels")


def _labels(settings):
    """Return the names of the classes, or None where nothing is said of them."""
    names = settings.get("id2label")
    count = settings.get("num_labels")
    if names is None:
        return None if count is None else tuple(f"LABEL_{number}" for number in range(count))
    labels = tuple(names[key] for key in sorted(names, key=int))
    if [int(key) for key in sorted(names, key=int)] != list(range(len(labels))):
        raise ValueError(f"id2label numbers its labels {', '.join(map(str, names))}, not from 0 on")
    if count not in (None, len(labels)):
        raise ValueError(f"num_labels is {count}, but id2label names {len(labels)}")
    return labels


def _is(kind, value):
    """Tell whether a value is of a field's type; every int is a float, too, and no bool an int."""
    if get_origin(kind) is UnionType:
        return any(_is(part, value) for part in get_args(kind))
    if get_origin(kind) is tuple:
        return isinstance(value, tuple) and all(_is(get_args(kind)[0], part) for part in value)
    if kind is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return value is None if kind is type(None) else type(value) is kind
