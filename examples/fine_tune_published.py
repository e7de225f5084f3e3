"""A published checkpoint comes in, is fine-tuned, and goes out as .dit, safetensors and ONNX.

It is a BERT as Hugging Face keeps it: a folder with config.json, model.safetensors and vocab.txt.
Given none, the script makes one of random weights: small, and of the same form. What is learned is
to tell whether a few words are of the creation of heaven and earth (Genesis 1) or of the garden of
Eden (Genesis 2 and 3); a quarter of the text is held out. The training step is compiled.

    python examples/fine_tune_published.py                              # makes a small one
    python examples/fine_tune_published.py path/to/bert-base-uncased    # takes a published one
"""

import importlib.util
import re
import sys
import time
from pathlib import Path

from published import checkpoint
from published.bert import BertConfig, BertForMaskedLM, BertForSequenceClassification
from published.tokens import WordPiece

import aino
from aino.nn import functional as F

TEXT = Path(__file__).resolve().parent / "data" / "genesis.txt"
OUT = Path("fine_tuned")
LABELS = ("creation", "garden")
WORDS, BATCH = 8, 32


def stretches():
    """Return (text, label) of eight words each, for training, and those held out."""
    text = " ".join(TEXT.read_text(encoding="utf-8").split())
    border = text.index("Thus the heavens and the earth were finished")
    train, held_out = [], []
    for label, part in enumerate((text[:border], text[border:])):
        words = part.split()
        for start in range(0, len(words) - 4 * WORDS + 1, 4 * WORDS):
            known = words[start : start + 3 * WORDS]
            train += [(" ".join(known[i : i + WORDS]), label) for i in range(0, 2 * WORDS + 1, 2)]
            held_out.append((" ".join(words[start + 3 * WORDS : start + 4 * WORDS]), label))
    return train, held_out


def publish(folder, texts):
    """Make what a publisher would: configuration, weights, and the words of a text as vocabulary.

    The weights are random. A model that was trained elsewhere has the same files.
    """
    words = sorted({word for text in texts for word in re.findall(r"\w+|[^\w\s]", text.lower())})
    tokens = WordPiece(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words])
    config = BertConfig(
        vocab_size=len(tokens.words), hidden_size=64, num_hidden_layers=2, num_attention_heads=4,
        intermediate_size=128, max_position_embeddings=32,
    )  # fmt: skip
    checkpoint.save(BertForMaskedLM(config), folder)
    tokens.save(folder)


def accuracy(model, tokens, texts):
    model.eval()
    with aino.no_grad():
        found = model(*tokens.batch([text for text, _ in texts])).argmax(1)
    return (found == aino.tensor([label for _, label in texts])).double().mean().item()


def fine_tune(model, tokens, train, held_out, epochs, lr):
    """Teach a model its labels; return the share of the held-out texts that it has right."""
    ids, mask = tokens.batch([text for text, _ in train], model.config.max_position_embeddings)
    labels = aino.tensor([label for _, label in train])
    optimizer = aino.optim.AdamW(model.parameters(), lr=lr)
    steps = epochs * (len(ids) // BATCH)
    schedule = aino.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, total_iters=steps)

    @aino.compile
    def step(ids, mask, labels):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(ids, mask), labels)
        loss.backward()
        optimizer.step()
        return loss

    for epoch in range(1, epochs + 1):
        model.train()
        losses = []
        for rows in aino.randperm(len(ids))[: len(ids) // BATCH * BATCH].split(BATCH):
            losses.append(step(ids[rows], mask[rows], labels[rows]).item())
            schedule.step()
        right = accuracy(model, tokens, held_out)
        loss = sum(losses) / len(losses)
        print(f"  epoch {epoch} of {epochs}: loss {loss:.3f}, {right:.0%} of the held-out right")
    return right


def hand_out(model, tokens, texts):
    """Write the model in three formats, read each again, and compare what they predict."""
    model.save(OUT / "model.dit")
    checkpoint.save(model, OUT / "hugging_face")  # what transformers and others read
    tokens.save(OUT / "hugging_face")
    kind = BertForSequenceClassification
    again = {
        "model.dit": aino.load(OUT / "model.dit"),
        "hugging_face/model.safetensors": checkpoint.load(OUT / "hugging_face", kind).eval(),
    }
    inputs = tokens.batch(texts)
    if importlib.util.find_spec("onnx") is None:
        print("  not as ONNX, for which is: pip install 'aino[onnx]'")
    else:
        sizes = {0: "batch", 1: "length"}
        aino.onnx.export(
            model, inputs, OUT / "model.onnx", input_names=["input_ids", "attention_mask"],
            output_names=["logits"], dynamic_axes={"input_ids": sizes, "attention_mask": sizes},
        )  # fmt: skip
        again["model.onnx"] = aino.onnx.load(OUT / "model.onnx")
    with aino.no_grad():
        wanted = model(*inputs)
        for name, other in again.items():
            difference = (other(*inputs) - wanted).abs().max().item()
            size = (OUT / name).stat().st_size / 1000
            print(f"  {OUT / name}: {size:,.0f} kB, the same predictions to {difference:.0e}")
            assert difference < 1e-4


def main():
    aino.set_num_threads(1)  # layers this small are not worth sharing
    aino.manual_seed(0)
    start = time.perf_counter()
    OUT.mkdir(exist_ok=True)
    train, held_out = stretches()
    given = len(sys.argv) > 1
    folder = Path(sys.argv[1]) if given else OUT / "published"
    if not given:
        print(f"No checkpoint was given: a small one, of random weights, is written to {folder}.")
        publish(folder, [text for text, _ in train])

    tokens = WordPiece.from_folder(folder)
    new = ["classifier.", "bert.pooler."]  # what a model that was trained on words may lack
    model = checkpoint.load(folder, BertForSequenceClassification, new, labels=LABELS)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    print(f"A BERT of {parameters:,} parameters from {folder} learns to tell "
          f"{' from '.join(LABELS)}:")  # fmt: skip
    epochs, lr = (3, 3e-5) if given else (8, 1e-3)
    right = fine_tune(model, tokens, train, held_out, epochs, lr)
    common = max(sum(label == kind for _, label in held_out) for kind in (0, 1)) / len(held_out)
    print(f"{right:.0%} of {len(held_out)} held-out texts are told right; the commoner kind are "
          f"{common:.0%}")  # fmt: skip
    print("It goes out, and comes in again:")
    hand_out(model, tokens, [text for text, _ in held_out])
    print(f"({time.perf_counter() - start:.0f} s)")
    assert given or right > 0.8


if __name__ == "__main__":
    main()
