"""The published models of the examples: from PyTorch's files, what PyTorch's code makes of them.

The files are written by transformers, or by `torch.save`, from models with random weights.
"""

import json
from functools import partial

import numpy as np
import pytest

import aino
from examples.published import bert, checkpoint, gpt2, resnet
from examples.published.tokens import BytePairs, WordPiece
from tests.parity.compare import torch
from tests.parity.torchvision_resnet import TorchvisionResNet

transformers = pytest.importorskip("transformers")
transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()

BATCH, LENGTH, WORDS = 3, 7, 41

GPT2 = partial(
    transformers.GPT2Config, vocab_size=WORDS, n_positions=16, n_embd=12, n_layer=2, n_head=3,
    bos_token_id=None, eos_token_id=None, resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0,
)  # fmt: skip
BERT = partial(
    transformers.BertConfig, vocab_size=WORDS, hidden_size=12, num_hidden_layers=2,
    num_attention_heads=3, intermediate_size=20, max_position_embeddings=16,
    hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, num_labels=4,
)  # fmt: skip
RESNET = partial(
    transformers.ResNetConfig, embedding_size=4, hidden_sizes=[8, 16], depths=[1, 2], num_labels=5,
)  # fmt: skip

rng = np.random.default_rng(0)
TOKENS = rng.integers(1, WORDS, (BATCH, LENGTH))
PADDED = np.array([[1] * LENGTH, [1] * 4 + [0] * (LENGTH - 4), [1] * (LENGTH - 1) + [0]])
TYPES = rng.integers(0, 2, (BATCH, LENGTH))
PLACES = rng.permuted(np.tile(np.arange(LENGTH + 2), (BATCH, 1)), axis=1)[:, :LENGTH]
IMAGES = rng.normal(size=(4, 3, 40, 33))

ALONE = {"input_ids": TOKENS}
MASKED = ALONE | {"attention_mask": PADDED}
ALL = MASKED | {"token_type_ids": TYPES, "position_ids": PLACES}
PIXELS = {"pixel_values": IMAGES}

#: Their class, ours, the settings, and what the model is called with.
ROWS = {
    "gpt2": ("GPT2LMHeadModel", gpt2.GPT2LMHeadModel, GPT2(), ALONE),
    "gpt2, masked": ("GPT2LMHeadModel", gpt2.GPT2LMHeadModel, GPT2(), MASKED),
    "gpt2, all inputs": ("GPT2LMHeadModel", gpt2.GPT2LMHeadModel, GPT2(), ALL),
    "gpt2, one head": ("GPT2LMHeadModel", gpt2.GPT2LMHeadModel, GPT2(n_head=1), ALONE),
    "gpt2, shallow and wide": (
        "GPT2LMHeadModel", gpt2.GPT2LMHeadModel, GPT2(n_layer=1, n_head=6, n_inner=10), MASKED),
    "gpt2, scaled by layer": (
        "GPT2LMHeadModel", gpt2.GPT2LMHeadModel, GPT2(scale_attn_by_inverse_layer_idx=True), ALONE),
    "gpt2, not scaled": (
        "GPT2LMHeadModel", gpt2.GPT2LMHeadModel, GPT2(scale_attn_weights=False), ALONE),
    "gpt2, not tied": (
        "GPT2LMHeadModel", gpt2.GPT2LMHeadModel, GPT2(tie_word_embeddings=False), ALONE),
    "gpt2, its body": ("GPT2Model", gpt2.GPT2Model, GPT2(layer_norm_epsilon=1e-3), MASKED),
    "bert for words": ("BertForMaskedLM", bert.BertForMaskedLM, BERT(), ALONE),
    "bert for words, masked": ("BertForMaskedLM", bert.BertForMaskedLM, BERT(), MASKED),
    "bert for words, not tied": (
        "BertForMaskedLM", bert.BertForMaskedLM, BERT(tie_word_embeddings=False), ALL),
    "bert for texts": (
        "BertForSequenceClassification", bert.BertForSequenceClassification, BERT(), ALL),
    "bert for texts, masked": (
        "BertForSequenceClassification", bert.BertForSequenceClassification,
        BERT(num_labels=1, num_attention_heads=4, num_hidden_layers=1), MASKED),
    "bert for texts, without padding": (
        "BertForSequenceClassification", bert.BertForSequenceClassification,
        BERT(pad_token_id=None, layer_norm_eps=1e-3, type_vocab_size=3), ALONE),
    "bert, its body": ("BertModel", bert.BertModel, BERT(), ALL),
    "resnet": (
        "ResNetForImageClassification", resnet.ResNetForImageClassification, RESNET(), PIXELS),
    "resnet, basic": (
        "ResNetForImageClassification", resnet.ResNetForImageClassification,
        RESNET(layer_type="basic", hidden_act="silu"), PIXELS),
    "resnet, early strides": (
        "ResNetForImageClassification", resnet.ResNetForImageClassification,
        RESNET(downsample_in_first_stage=True, downsample_in_bottleneck=True), PIXELS),
    "resnet, no projection": (
        "ResNetForImageClassification", resnet.ResNetForImageClassification,
        RESNET(hidden_sizes=[4, 8, 16], depths=[2, 1, 1], layer_type="basic"), PIXELS),
}  # fmt: skip
ROWS |= {
    f"gpt2, {name}": (
        "GPT2LMHeadModel", gpt2.GPT2LMHeadModel, GPT2(activation_function=name), ALONE)
    for name in ("gelu", "relu", "silu", "tanh", "swish", "mish", "gelu_pytorch_tanh", "linear")
}  # fmt: skip
ROWS |= {
    f"bert, {name}": ("BertForMaskedLM", bert.BertForMaskedLM, BERT(hidden_act=name), MASKED)
    for name in ("gelu_new", "relu", "sigmoid")
}


def made(name, config):
    """Return a model of transformers', every parameter and buffer of which has random values."""
    torch.manual_seed(0)
    model = getattr(transformers, name)(config)
    for key, tensor in model.state_dict().items():
        if tensor.is_floating_point():
            torch.nn.init.normal_(tensor, std=0.3)
            if key.endswith("running_var"):
                tensor.abs_().add_(0.5)
    return model


def written(model, folder, **options):
    model.save_pretrained(folder, **options)
    return folder


def theirs_of(output):
    """Return the tensors of an output, in our order."""
    if "logits" in output:
        return [output.logits]
    pooled = getattr(output, "pooler_output", None)
    return [output.last_hidden_state, *([] if pooled is None else [pooled])]


def call(model, inputs, make):
    dtype = next(model.parameters()).dtype
    given = {name: make(value) for name, value in inputs.items()}
    given = {name: x.to(dtype) if x.is_floating_point() else x for name, x in given.items()}
    if make is torch.tensor:
        return theirs_of(model(**given))
    given = {"images" if name == "pixel_values" else name: x for name, x in given.items()}
    output = model(**given)
    return list(output) if isinstance(output, tuple) else [output]


def seen(array, inputs):
    """Return what is not padding."""
    mask = inputs.get("attention_mask")
    return array[mask.astype(bool)] if mask is not None and array.ndim == 3 else array


def close(ours, theirs, tolerance):
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    assert ours.shape == theirs.shape
    assert abs(ours - theirs).max() <= tolerance * abs(theirs).max()


def check_outputs(ours, theirs, inputs, tolerance):
    with aino.no_grad(), torch.no_grad():
        found, wanted = call(ours, inputs, aino.tensor), call(theirs, inputs, torch.tensor)
    assert len(found) == len(wanted)
    for own, other in zip(found, wanted):
        close(seen(own.numpy(), inputs), seen(other.numpy(), inputs), tolerance)


def check_gradients(ours, theirs, inputs, tolerance):
    """A loss of all outputs, padding left out, has PyTorch's gradient for every parameter."""
    for model, make in ((ours, aino.tensor), (theirs, torch.tensor)):
        loss = 0.0
        for output in call(model, inputs, make):
            shape = tuple(output.shape)
            weights = np.random.default_rng(1).normal(size=shape)
            mask = inputs.get("attention_mask")
            if mask is not None and len(shape) == 3:
                weights *= mask[:, :, None]
            loss = loss + (make(weights) * output.tanh()).sum()
        loss.backward()
    check_same_gradients(ours, theirs, tolerance)


def check_same_gradients(ours, theirs, tolerance):
    wanted = {name: parameter.grad for name, parameter in theirs.named_parameters()}
    found = dict(ours.named_parameters())
    assert {*found} == {*wanted}
    # Some are 0 but for rounding: a shift of keys, or of what is normalised next.
    largest = max(
        abs(gradient).max().item() for gradient in wanted.values() if gradient is not None
    )
    for name, gradient in wanted.items():
        if gradient is None:
            assert found[name].grad is None, name
        else:
            limit = tolerance * max(abs(gradient).max().item(), 1e-4 * largest)
            difference = abs(found[name].grad.numpy() - gradient.numpy()).max()
            assert difference <= limit, name


@pytest.mark.parametrize("row", ROWS)
def test_what_transformers_gives(row, tmp_path):
    name, kind, config, inputs = ROWS[row]
    theirs = made(name, config).eval()
    ours = checkpoint.load(written(theirs, tmp_path), kind).eval()
    check_outputs(ours, theirs, inputs, 1e-5)
    check_outputs(aino.compile(ours, fullgraph=True), theirs, inputs, 1e-5)
    check_outputs(ours.double(), theirs.double(), inputs, 1e-12)
    check_gradients(ours.train(), theirs.train(), inputs, 1e-9)
    for (key, own), other in zip(ours.named_buffers(), theirs.buffers()):
        if "running" in key:  # statistics of the batch that was just seen
            close(own.numpy(), other.numpy(), 1e-12)


@pytest.mark.parametrize("row", ["gpt2", "bert for texts", "bert for words", "resnet"])
def test_transformers_reads_what_is_written(row, tmp_path):
    name, kind, config, inputs = ROWS[row]
    first = made(name, config)
    ours = checkpoint.load(written(first, tmp_path / "theirs"), kind).eval()
    checkpoint.save(ours, tmp_path / "ours")
    theirs, info = getattr(transformers, name).from_pretrained(
        tmp_path / "ours", output_loading_info=True
    )
    assert not any(info.values())
    check_outputs(ours, theirs.eval(), inputs, 1e-5)


@pytest.mark.parametrize("row", ["gpt2", "bert for texts", "resnet"])
def test_a_checkpoint_in_pieces(row, tmp_path):
    name, kind, config, inputs = ROWS[row]
    theirs = made(name, config).eval()
    written(theirs, tmp_path, max_shard_size="4KB")
    assert len(list(tmp_path.glob("*.safetensors"))) > 1
    check_outputs(checkpoint.load(tmp_path, kind).eval(), theirs, inputs, 1e-5)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_a_checkpoint_of_half_precision(dtype, tmp_path):
    name, kind, config, inputs = ROWS["bert for texts"]
    theirs = made(name, config).to(getattr(torch, dtype)).eval()
    ours = checkpoint.load(written(theirs, tmp_path), kind).eval()
    assert all(parameter.dtype is aino.float32 for parameter in ours.parameters())
    check_outputs(ours, theirs.float(), inputs, 1e-5)


def test_the_body_of_a_model_alone_goes_into_one_with_a_head(tmp_path):
    theirs = made("GPT2LMHeadModel", GPT2()).eval()
    ours = checkpoint.load(written(theirs.transformer, tmp_path), gpt2.GPT2LMHeadModel).eval()
    check_outputs(ours, theirs, MASKED, 1e-5)


def test_a_model_with_all_heads_goes_into_one_with_one(tmp_path):
    theirs = made("BertForPreTraining", BERT()).eval()
    ours = checkpoint.load(written(theirs, tmp_path), bert.BertForMaskedLM).eval()
    with torch.no_grad():
        wanted = theirs(torch.tensor(TOKENS)).prediction_logits.numpy()
    close(ours(aino.tensor(TOKENS)).detach().numpy(), wanted, 1e-5)
    body = checkpoint.load(tmp_path, bert.BertModel).eval()
    check_outputs(body, theirs.bert, ALL, 1e-5)
    tuned = checkpoint.load(tmp_path, bert.BertForSequenceClassification, new=["classifier."])
    assert tuned.bert.pooler.dense.weight.tolist() == theirs.bert.pooler.dense.weight.tolist()


def test_what_gpt2_writes(tmp_path):
    theirs = made("GPT2LMHeadModel", GPT2()).eval()
    ours = checkpoint.load(written(theirs, tmp_path), gpt2.GPT2LMHeadModel)
    start = TOKENS[:, :3]
    wanted = theirs.generate(
        torch.tensor(start), max_new_tokens=12, do_sample=False, pad_token_id=0
    )
    assert ours.generate(aino.tensor(start), 12).tolist() == wanted.tolist()
    end = wanted[0, 6].item()
    wanted = theirs.generate(
        torch.tensor(start), max_new_tokens=12, do_sample=False, pad_token_id=end, eos_token_id=end
    )
    assert ours.generate(aino.tensor(start), 12, eos_token_id=end).tolist() == wanted.tolist()


#: A ResNet of torchvision's, and the settings of ours that say the same.
TORCHVISION = {
    "basic": ("basic", (2, 1, 1, 1), 8),
    "bottleneck": ("bottleneck", (1, 2, 1, 1), 4),
}


@pytest.mark.parametrize("modern", [True, False], ids=["zip", "old format"])
@pytest.mark.parametrize("row", TORCHVISION)
def test_a_state_dict_of_torchvision(row, modern, tmp_path):
    kind, depths, width = TORCHVISION[row]
    theirs = TorchvisionResNet(kind, depths, 6, width)
    torch.manual_seed(0)
    for key, tensor in theirs.state_dict().items():
        if tensor.is_floating_point():
            torch.nn.init.normal_(tensor, std=0.3)
            if key.endswith("running_var"):
                tensor.abs_().add_(0.5)
    state = theirs.state_dict()
    if not modern:  # before PyTorch 0.4.1
        state = {key: x for key, x in state.items() if "num_batches_tracked" not in key}
    torch.save(state, tmp_path / "resnet.pth", _use_new_zipfile_serialization=modern)
    last = 4 if kind == "bottleneck" else 1
    ours = resnet.ResNet(
        resnet.ResNetConfig(
            embedding_size=width, hidden_sizes=tuple(width * last * 2**i for i in range(4)),
            depths=depths, layer_type=kind, labels=tuple("abcdef"),
        )
    )  # fmt: skip
    ours.load_state_dict(aino.load(tmp_path / "resnet.pth"))
    images = aino.tensor(IMAGES)
    for mode in (False, True):
        ours.double().train(mode)
        theirs.double().train(mode)
        with torch.no_grad():
            wanted = theirs(torch.tensor(IMAGES)).numpy()
        close(ours(images).detach().numpy(), wanted, 1e-12)
    named = dict(theirs.named_buffers())
    for key, own in ours.named_buffers():
        close(own.numpy(), named[key].numpy(), 1e-12)
    ours(images).square().sum().backward()
    theirs(torch.tensor(IMAGES)).square().sum().backward()
    check_same_gradients(ours, theirs, 1e-9)


def test_the_names_are_those_of_transformers():
    """A model that is made, not loaded, has the names and shapes of theirs, and their number."""
    for name, kind, config, _ in ROWS.values():
        settings = json.loads(config.to_json_string(use_diff=False))
        ours = kind(kind.config_class.from_dict(settings))
        theirs = getattr(transformers, name)(config)
        for named in ("state_dict", "named_parameters"):  # the optimizer's state has this order
            own, other = (dict(getattr(model, named)()) for model in (ours, theirs))
            assert [*own] == [*other]
            assert [tuple(x.shape) for x in own.values()] == [
                tuple(x.shape) for x in other.values()
            ]


@pytest.mark.parametrize("row", ["gpt2, masked", "bert for texts, masked", "resnet"])
def test_as_onnx_it_is_what_transformers_gives(row, tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    name, kind, config, inputs = ROWS[row]
    theirs = made(name, config).eval()
    ours = checkpoint.load(written(theirs, tmp_path), kind).eval()
    names = [*inputs]
    example = tuple(aino.tensor(array).to(aino.float32 if array.ndim == 4 else array.dtype)
                    for array in inputs.values())  # fmt: skip
    axes = {0: "batch"} if name.startswith("ResNet") else {0: "batch", 1: "length"}
    aino.onnx.export(
        ours, example, tmp_path / "model.onnx", input_names=names,
        dynamic_axes=dict.fromkeys(names, axes),
    )  # fmt: skip
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    for rows in (1, 40):
        arrays = {key: np.concatenate([array] * rows) for key, array in inputs.items()}
        if not name.startswith("ResNet"):
            arrays = {key: array[:, :5] for key, array in arrays.items()}
        with torch.no_grad():
            (wanted,) = call(theirs, arrays, torch.tensor)
        given = {
            key: array.astype(np.float32) if array.dtype.kind == "f" else array
            for key, array in arrays.items()
        }
        (found,) = session.run(None, given)
        close(seen(found, arrays), seen(wanted.numpy(), arrays), 1e-5)


#: Models that PyTorch writes as ONNX: a class of transformers', its settings, and the inputs.
OTHERS = {
    "BERT": ("BertModel", BERT(), ["input_ids", "attention_mask"]),
    "DistilBERT": (
        "DistilBertModel", transformers.DistilBertConfig(
            vocab_size=WORDS, dim=12, n_layers=1, n_heads=3, hidden_dim=20),
        ["input_ids", "attention_mask"]),
    "T5": (
        "T5EncoderModel", transformers.T5Config(
            vocab_size=WORDS, d_model=12, d_kv=4, d_ff=20, num_layers=1, num_heads=3),
        ["input_ids"]),
    "ResNet": ("ResNetForImageClassification", RESNET(), ["pixel_values"]),
    "ViT": (
        "ViTForImageClassification", transformers.ViTConfig(
            hidden_size=12, num_hidden_layers=1, num_attention_heads=3, intermediate_size=20,
            image_size=(40, 33), patch_size=(8, 11)),
        ["pixel_values"]),
    "ConvNeXt": (
        "ConvNextForImageClassification", transformers.ConvNextConfig(
            hidden_sizes=[8, 12], depths=[1, 1], num_stages=2),
        ["pixel_values"]),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("what", OTHERS)
def test_what_pytorch_writes_as_onnx_comes_in(what, tmp_path):
    pytest.importorskip("onnx")
    name, config, names = OTHERS[what]
    arrays = {key: (MASKED | PIXELS)[key] for key in names}
    theirs = made(name, config).eval()

    class First(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = theirs

        def forward(self, *given):
            return self.model(**dict(zip(names, given)))[0]

    tensors = [torch.tensor(x).to(torch.float32 if x.ndim == 4 else torch.int64)
               for x in arrays.values()]  # fmt: skip
    path = tmp_path / "model.onnx"
    torch.onnx.export(First().eval(), tuple(tensors), path, dynamo=False)
    ours = aino.onnx.load(path)
    with torch.no_grad():
        wanted = First()(*tensors).numpy()
    given = [aino.tensor(x.numpy()) for x in tensors]
    for model in (ours, aino.compile(ours, fullgraph=True)):
        with aino.no_grad():
            close(seen(model(*given).numpy(), arrays), seen(wanted, arrays), 1e-5)


def test_the_published_sizes():
    """As many parameters as torchvision's models have."""
    for name, count in {"resnet18": 11_689_512, "resnet50": 25_557_032}.items():
        model = resnet.ResNet(resnet.ResNetConfig.named(name))
        assert sum(parameter.numel() for parameter in model.parameters()) == count


TEXTS = [
    "Hello, world! It's   5°C ½ of naïve café\tÄÖÜ 漢字仮名 don't we'll\n\nx²  y  ", "", " lead",
    "trail ", "a" * 101 + " b", "\u200bzero\x00\ufffd\xa0nbsp ﬁ İstanbul ΣΑΣ ß", "😀👍🏽 end",
    "...!?--_ #$%^`~|<=>", "\x1c\x1d a\u2028b\u3000c", "I'm he'd they're 'tis ''s 'S",
    "123abc 4,5e-6", "\r\n\r\n  x", "In the beginning God created the heaven and the earth.",
]  # fmt: skip


@pytest.mark.parametrize("lower", [True, False])
def test_words_are_split_as_transformers_does(lower, tmp_path):
    letters = "abcdefghijklmnopqrstuvwxyz"
    others = sorted({mark for text in TEXTS for mark in text if mark.isprintable()} - {*letters})
    whole = ["hello", "world", "the", "beginning", "naive", "cafe", "[MASK]"]
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *letters, *others, *whole]
    vocabulary += [f"##{piece}" for piece in [*letters, "ning", "orld", "ed"]]
    numbers = {word: number for number, word in enumerate(vocabulary)}
    theirs = transformers.BertTokenizer(vocab=numbers, do_lower_case=lower)
    theirs.save_pretrained(tmp_path)
    for ours in (WordPiece(vocabulary, lower), WordPiece.from_folder(tmp_path)):
        for text in TEXTS:
            assert ours.encode(text) == theirs(text)["input_ids"], text


def test_byte_pairs_are_joined_as_transformers_does(tmp_path):
    tokenizers = pytest.importorskip("tokenizers")
    learner = tokenizers.ByteLevelBPETokenizer()
    learner.train_from_iterator(TEXTS * 3, vocab_size=400, min_frequency=1, show_progress=False)
    learner.save_model(str(tmp_path))
    theirs = transformers.GPT2Tokenizer.from_pretrained(tmp_path)
    theirs.save_pretrained(tmp_path / "whole")
    for folder in (tmp_path, tmp_path / "whole"):
        ours = BytePairs.from_folder(folder)
        for text in TEXTS:
            assert ours.encode(text) == theirs(text)["input_ids"], text
            assert ours.decode(ours.encode(text)) == text
