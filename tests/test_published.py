"""The published models of the examples: names, settings, and files in and out.

What they compute is held against PyTorch in `tests/parity/test_published.py`.
"""

import json
from importlib.util import find_spec

import numpy as np
import pytest

import aino
from aino.errors import StateDictError
from examples.published import bert, checkpoint, gpt2, resnet
from examples.published.checkpoint import fitting
from examples.published.tokens import BytePairs, WordPiece

needs_safetensors = pytest.mark.skipif(
    find_spec("safetensors") is None, reason="safetensors is not installed"
)

GPT2 = {"vocab_size": 11, "n_positions": 8, "n_embd": 4, "n_layer": 2, "n_head": 2}
BERT = {
    "vocab_size": 11, "hidden_size": 4, "num_hidden_layers": 1, "num_attention_heads": 2,
    "intermediate_size": 6, "max_position_embeddings": 8,
}  # fmt: skip
RESNET = {"embedding_size": 4, "hidden_sizes": [4, 8], "depths": [1, 1], "layer_type": "basic"}
TOKENS = aino.tensor([[1, 2, 3, 4], [5, 6, 7, 8]])
IMAGES = aino.tensor(np.random.default_rng(0).normal(size=(2, 3, 16, 16)).astype(np.float32))

MODELS = {
    "gpt2": (gpt2.GPT2LMHeadModel, GPT2, TOKENS),
    "gpt2 body": (gpt2.GPT2Model, GPT2, TOKENS),
    "gpt2 not tied": (gpt2.GPT2LMHeadModel, GPT2 | {"tie_word_embeddings": False}, TOKENS),
    "bert for words": (bert.BertForMaskedLM, BERT, TOKENS),
    "bert for texts": (bert.BertForSequenceClassification, BERT, TOKENS),
    "resnet": (resnet.ResNetForImageClassification, RESNET, IMAGES),
    "resnet of torchvision": (resnet.ResNet, RESNET, IMAGES),
}


def make(name):
    kind, settings, inputs = MODELS[name]
    aino.manual_seed(0)
    return kind(kind.config_class.from_dict(settings)).eval(), inputs


# Names -------------------------------------------------------------------------------------------

NORM = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
BLOCK = [
    f"{part}.{end}"
    for part, ends in {
        "ln_1": ["weight", "bias"], "attn.c_attn": ["weight", "bias"],
        "attn.c_proj": ["weight", "bias"], "ln_2": ["weight", "bias"],
        "mlp.c_fc": ["weight", "bias"], "mlp.c_proj": ["weight", "bias"],
    }.items()
    for end in ends
]  # fmt: skip
LAYER = [
    f"{part}.{end}"
    for part in (
        "attention.self.query", "attention.self.key", "attention.self.value",
        "attention.output.dense", "attention.output.LayerNorm", "intermediate.dense",
        "output.dense", "output.LayerNorm",
    )
    for end in ("weight", "bias")
]  # fmt: skip
NAMES = {
    "gpt2": [
        "transformer.wte.weight", "transformer.wpe.weight",
        *(f"transformer.h.{layer}.{name}" for layer in range(2) for name in BLOCK),
        "transformer.ln_f.weight", "transformer.ln_f.bias", "lm_head.weight",
    ],
    "bert for words": [
        "bert.embeddings.word_embeddings.weight", "bert.embeddings.position_embeddings.weight",
        "bert.embeddings.token_type_embeddings.weight", "bert.embeddings.LayerNorm.weight",
        "bert.embeddings.LayerNorm.bias", *(f"bert.encoder.layer.0.{name}" for name in LAYER),
        "cls.predictions.bias", "cls.predictions.transform.dense.weight",
        "cls.predictions.transform.dense.bias", "cls.predictions.transform.LayerNorm.weight",
        "cls.predictions.transform.LayerNorm.bias", "cls.predictions.decoder.weight",
        "cls.predictions.decoder.bias",
    ],
    "resnet of torchvision": [
        "conv1.weight", *(f"bn1.{end}" for end in NORM),
        "layer1.0.conv1.weight", *(f"layer1.0.bn1.{end}" for end in NORM),
        "layer1.0.conv2.weight", *(f"layer1.0.bn2.{end}" for end in NORM),
        "layer2.0.conv1.weight", *(f"layer2.0.bn1.{end}" for end in NORM),
        "layer2.0.conv2.weight", *(f"layer2.0.bn2.{end}" for end in NORM),
        "layer2.0.downsample.0.weight", *(f"layer2.0.downsample.1.{end}" for end in NORM),
        "fc.weight", "fc.bias",
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_parameters_have_their_published_names(name):
    model, _ = make(name)
    assert [*model.state_dict()] == NAMES[name]


def prefixed(state, prefix):
    return {prefix + name: value for name, value in state.items()}


def body(state):
    """The file of openai-community/gpt2: no prefix, no head, and the causal mask of each layer."""
    state = {
        name.removeprefix("transformer."): x
        for name, x in state.items()
        if name != "lm_head.weight"
    }
    masks = {f"h.{layer}.attn.bias": aino.ones(1, 1, 8, 8).tril() for layer in range(2)}
    return state | masks | {"h.0.attn.masked_bias": aino.tensor(-1e4)}


def converted(state):
    """The file of google-bert/bert-base-uncased: TensorFlow's names of the norm, both heads."""
    state = {
        name.replace("LayerNorm.weight", "LayerNorm.gamma").replace(
            "LayerNorm.bias", "LayerNorm.beta"
        ): value
        for name, value in state.items()
        if "decoder" not in name
    }
    return state | {
        "bert.embeddings.position_ids": aino.arange(8)[None],
        "bert.pooler.dense.weight": aino.ones(4, 4), "bert.pooler.dense.bias": aino.ones(4),
        "cls.seq_relationship.weight": aino.ones(2, 4), "cls.seq_relationship.bias": aino.ones(2),
    }  # fmt: skip


#: The same values under other names that occur, and the model that takes them.
ALIKE = {
    "as they are": ("gpt2", dict),
    "data parallel": ("gpt2", lambda state: prefixed(state, "module.")),
    "compiled": ("bert for texts", lambda state: prefixed(state, "_orig_mod.")),
    "the body alone": ("gpt2", body),
    "older names": ("bert for words", converted),
    "a body from a whole": ("gpt2 body", lambda state: prefixed(state, "transformer.")),
    "a head that is not asked for": (
        "gpt2 body", lambda state: prefixed(state, "transformer.") | {"lm_head.weight": TOKENS}),
    "a wrapped whole": ("resnet", lambda state: prefixed(state, "module.")),
    "another device's arrays": ("resnet", lambda state: {k: x.numpy() for k, x in state.items()}),
}  # fmt: skip


@pytest.mark.parametrize("what", ALIKE)
def test_a_state_goes_in_under_any_of_its_names(what):
    name, rename = ALIKE[what]
    model, _ = make(name)
    wanted = {key: value.clone() for key, value in model.state_dict().items()}
    with aino.no_grad():
        for parameter in model.parameters():
            parameter.fill_(0.0)
    model.load_state_dict(fitting(rename(wanted), model))
    for key, value in model.state_dict().items():
        assert value.equal(wanted[key]), key


def without(*names):
    return lambda state: {key: value for key, value in state.items() if key not in names}


REFUSED = {
    "one is missing": ("gpt2", without("transformer.ln_f.bias"), StateDictError, "ln_f.bias"),
    "one too many": (
        "bert for texts", lambda state: state | {"bert.adapter": aino.ones(1)}, StateDictError,
        "bert.adapter"),
    "two for one": (
        "gpt2", lambda state: state | {"wpe.weight": aino.ones(8, 4)}, ValueError,
        "wpe.weight and another name both stand for transformer.wpe.weight"),
    "two that are tied": (
        "gpt2", lambda state: state | {"lm_head.weight": aino.ones(11, 4)}, ValueError,
        "transformer.wte.weight and lm_head.weight differ"),
    "no head": ("bert for texts", without("classifier.bias"), StateDictError, "classifier.bias"),
    "another shape": (
        "gpt2", lambda state: state | {"transformer.ln_f.bias": aino.ones(5)}, StateDictError,
        r"ln_f.bias.*\(5,\)"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_a_state_that_does_not_fit_is_refused(what):
    name, change, error, match = REFUSED[what]
    model, _ = make(name)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    with pytest.raises(error, match=match):
        model.load_state_dict(fitting(change(before), model))
    assert all(value.equal(before[key]) for key, value in model.state_dict().items())


def test_a_head_that_is_to_be_trained_keeps_its_own_values():
    model, _ = make("bert for texts")
    own = {key: value.clone() for key, value in model.state_dict().items()}
    state = {
        key: value + 1
        for key, value in own.items()
        if not key.startswith(("classifier.", "bert.pooler."))
    }
    model.load_state_dict(fitting(state, model, new=["classifier.", "bert.pooler."]))
    for key, value in model.state_dict().items():
        assert value.equal(state.get(key, own[key])), key


# Settings ----------------------------------------------------------------------------------------

#: What stands in the config.json of openai-community/gpt2 and google-bert/bert-base-uncased beside
#: the sizes.
HUB = [
    (gpt2.GPT2Config, {
        "activation_function": "gelu_new", "architectures": ["GPT2LMHeadModel"], "attn_pdrop": 0.1,
        "bos_token_id": 50256, "embd_pdrop": 0.1, "eos_token_id": 50256, "initializer_range": 0.02,
        "layer_norm_epsilon": 1e-05, "model_type": "gpt2", "n_ctx": 1024, "resid_pdrop": 0.1,
        "summary_activation": None, "summary_first_dropout": 0.1, "summary_proj_to_labels": True,
        "summary_type": "cls_index", "summary_use_proj": True,
        "task_specific_params": {"text-generation": {"do_sample": True, "max_length": 50}},
    }),
    (bert.BertConfig, {
        "architectures": ["BertForMaskedLM"], "attention_probs_dropout_prob": 0.1,
        "gradient_checkpointing": False, "hidden_act": "gelu", "hidden_dropout_prob": 0.1,
        "initializer_range": 0.02, "layer_norm_eps": 1e-12, "model_type": "bert",
        "pad_token_id": 0, "position_embedding_type": "absolute",
        "transformers_version": "4.6.0.dev0", "type_vocab_size": 2, "use_cache": True,
    }),
]  # fmt: skip


def test_what_stands_in_timms_files_is_known():
    settings = {"architecture": "resnet18", "num_classes": 3, "num_features": 512,
                "pretrained_cfg": {"mean": [0.5]}, "global_pool": "avg"}  # fmt: skip
    assert resnet.ResNetConfig.from_dict(settings) == resnet.ResNetConfig.named("resnet18", 3)


@pytest.mark.parametrize(("kind", "settings"), HUB, ids=["gpt2", "bert"])
def test_what_stands_in_published_files_is_known(kind, settings):
    assert kind.from_dict(settings) == kind()
    assert kind.from_dict(kind().to_dict()) == kind()


UNKNOWN = {
    "another model": (gpt2.GPT2Config, {"model_type": "llama"}, "model_type 'llama', not 'gpt2'"),
    "unknown": (gpt2.GPT2Config, {"rope_theta": 1e4}, "the setting rope_theta = 10000.0"),
    "quantized": (bert.BertConfig, {"quantization_config": {"bits": 4}}, "quantization_config"),
    "cross attention": (gpt2.GPT2Config, {"add_cross_attention": True}, "add_cross_attention is T"),
    "decoder": (bert.BertConfig, {"is_decoder": True}, "is_decoder is True"),
    "relative": (bert.BertConfig, {"position_embedding_type": "relative_key"}, "relative_key"),
    "pruned": (bert.BertConfig, {"pruned_heads": {"0": [1]}}, "pruned_heads"),
    "heads": (gpt2.GPT2Config, {"n_embd": 10, "n_head": 3}, "n_embd = 10 is no multiple of n_head"),
    "text for a number": (gpt2.GPT2Config, {"n_head": "12"}, "n_head is '12', which is no int"),
    "truth for a number": (bert.BertConfig, {"hidden_size": True}, "hidden_size is True"),
    "labels": (bert.BertConfig, {"id2label": {"0": "a", "2": "b"}}, "id2label numbers its labels"),
    "number of labels": (
        bert.BertConfig,
        {"id2label": {"0": "a"}, "num_labels": 2},
        "num_labels is",
    ),
    "timm's": (resnet.ResNetConfig, {"architecture": "resnet50d"}, "unknown ResNet 'resnet50d'"),
    "timm's own": (
        resnet.ResNetConfig,
        {"architecture": "resnet18", "model_args": {"in_chans": 1}},
        "in_chans",
    ),
    "block": (resnet.ResNetConfig, {"layer_type": "wide"}, "layer_type is 'wide'"),
    "stages": (resnet.ResNetConfig, {"depths": [1]}, "4 hidden_sizes for 1 depths"),
}


@pytest.mark.parametrize("what", UNKNOWN)
def test_a_setting_that_would_change_the_function_is_refused(what):
    kind, settings, match = UNKNOWN[what]
    with pytest.raises((ValueError, TypeError), match=match):
        kind.from_dict(settings)


def test_an_unknown_activation_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match="unknown activation 'geglu'; there are gelu, gelu_new"):
        gpt2.GPT2Model(gpt2.GPT2Config.from_dict(GPT2 | {"activation_function": "geglu"}))


WRONG_INPUTS = {
    "too long": ("gpt2", lambda model: model(aino.zeros(1, 9, dtype=aino.int64)), "9 tokens"),
    "too long for bert": (
        "bert for words", lambda model: model(aino.zeros(1, 9, dtype=aino.int64)), "9 tokens"),
    "mask": ("gpt2", lambda model: model(TOKENS, aino.ones(2, 3)), r"shape \(2, 3\); wanted is"),
    "mask of bert": ("bert for texts", lambda model: model(TOKENS, aino.ones(4)), r"shape \(4,\)"),
    "channels": ("resnet", lambda model: model(IMAGES[:, :1]), r"\(2, 1, 16, 16\); wanted is"),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG_INPUTS)
def test_inputs_that_do_not_fit_are_refused(what):
    name, call, match = WRONG_INPUTS[what]
    with pytest.raises(ValueError, match=match):
        call(make(name)[0])


# Files -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MODELS)
def test_a_model_comes_back_from_a_dit(name, tmp_path):
    model, inputs = make(name)
    model.save(tmp_path / "model.dit")
    again = aino.load(tmp_path / "model.dit")
    assert again.config == model.config
    assert again(inputs).equal(model(inputs))
    assert checkpoint.tied(again) == checkpoint.tied(model)


@needs_safetensors
@pytest.mark.parametrize("name", MODELS)
def test_a_model_comes_back_from_a_folder(name, tmp_path):
    model, inputs = make(name)
    checkpoint.save(model, tmp_path)
    again = checkpoint.load(tmp_path, type(model)).eval()
    assert again.config == model.config
    assert again(inputs).equal(model(inputs))
    stored = aino.load(tmp_path / "model.safetensors")
    assert len(stored) == len({id(tensor) for tensor in model.state_dict(keep_vars=True).values()})
    assert json.loads((tmp_path / "config.json").read_text())["architectures"] == [
        type(model).__name__
    ]


def losses(name, wrap):
    model, inputs = make(name)
    optimizer = aino.optim.SGD(model.parameters(), lr=0.1)

    @wrap
    def step(inputs):
        optimizer.zero_grad()
        loss = model(inputs).square().mean()
        loss.backward()
        optimizer.step()
        return loss

    return [step(inputs).item() for _ in range(3)]


@pytest.mark.parametrize("name", ["gpt2", "bert for texts", "resnet of torchvision"])
def test_compiled_it_learns_as_it_does_without(name):
    found = losses(name, aino.compile)
    assert found == pytest.approx(losses(name, lambda step: step), rel=1e-5)
    assert found[2] < found[0]


# Writing -----------------------------------------------------------------------------------------


def test_a_text_in_pieces_is_the_text_in_one():
    model, _ = make("gpt2")
    tokens = aino.tensor([[1, 2, 3, 4, 5, 6, 7], [7, 6, 5, 4, 3, 2, 1]])
    mask = aino.tensor([[1] * 7, [0, 0, 1, 1, 1, 1, 1]])
    whole, cache = model(tokens, mask), {}
    pieces = [
        model(tokens[:, start:end], mask[:, :end], cache=cache)
        for start, end in ((0, 3), (3, 4), (4, 7))
    ]
    assert aino.allclose(aino.cat(pieces, 1)[0], whole[0], atol=1e-6)
    assert aino.allclose(aino.cat(pieces, 1)[1, 2:], whole[1, 2:], atol=1e-6)


def test_what_is_drawn_is_among_the_likeliest():
    model, _ = make("gpt2")
    model.train()
    greedy = model.generate(TOKENS, 4)
    assert model.training
    assert greedy.shape == (2, 8)
    assert model.generate(TOKENS, 4, do_sample=True, top_k=1).equal(greedy)
    one, two = (
        model.generate(
            TOKENS, 4, do_sample=True, temperature=9.0, generator=aino.Generator().manual_seed(seed)
        )
        for seed in (1, 2)
    )
    assert not one.equal(two)
    end = greedy[0, 5].item()
    ended = model.generate(TOKENS, 4, eos_token_id=end)
    assert all(token == end for token in ended[0, 5:].tolist())
    with pytest.raises(ValueError, match="n_positions = 8"):
        model.generate(TOKENS, 6)


WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "un", "##aff", "##able", "the", "cafe", ",", "中", "'"]
PIECES = {
    "The unaffable, the": ["the", "un", "##aff", "##able", ",", "the"],
    "CAFÉ\tcafé\n": ["cafe", "cafe"],
    "the中the": ["the", "中", "the"],
    "unable unaffab x": ["un", "##able", "[UNK]", "[UNK]"],
    "'the' \u200b\x00": ["'", "the", "'"],
    "": [],
}


@pytest.mark.parametrize("text", PIECES)
def test_words_are_split_into_the_longest_known_pieces(text):
    assert WordPiece(WORDS).pieces(text) == PIECES[text]


def test_a_batch_of_texts_is_padded(tmp_path):
    WordPiece(WORDS, lower=False).save(tmp_path)
    tokens = WordPiece.from_folder(tmp_path)
    assert not tokens.lower
    ids, mask = tokens.batch(["the", "unable, The", "the the the the"], longest=5)
    assert ids.tolist() == [[2, 7, 3, 0, 0], [2, 4, 6, 9, 3], [2, 7, 7, 7, 3]]
    assert mask.tolist() == [[1, 1, 1, 0, 0], [1] * 5, [1] * 5]


def test_byte_pairs_are_joined_by_rank_and_come_back():
    single = [*BytePairs({}, []).mark.values()]
    merges = [("Ġ", "t"), ("h", "e"), ("Ġt", "he"), ("'", "s")]
    vocabulary = {token: number for number, token in enumerate([*single, *map("".join, merges)])}
    tokens = BytePairs(vocabulary, merges)
    shown = [tokens.token[number] for number in tokens.encode("he's the  thé\n")]
    assert shown == ["he", "'s", "Ġthe", "Ġ", "Ġt", "h", "Ã", "©", "Ċ"]
    for text in ("he's the  thé\n", " \t\r\n", "", "中½x²", "'tis 'S"):
        assert tokens.decode(tokens.encode(text)) == text
