"""From texts to the numbers of tokens, by the files that lie beside published checkpoints.

    words = WordPiece.from_folder("bert-base-uncased")       # vocab.txt
    pairs = BytePairs.from_folder("gpt2")                    # vocab.json and merges.txt
"""

import json
import re
import unicodedata
from itertools import pairwise
from pathlib import Path

import aino


def _fast(folder, kind):
    """Return the model in a tokenizer.json, and the whole of it."""
    path = Path(folder) / "tokenizer.json"
    if not path.exists():
        raise FileNotFoundError(f"there is no vocabulary in {folder}: no {path.name} either")
    whole = json.loads(path.read_text(encoding="utf-8"))
    if whole["model"].get("type") != kind:
        raise ValueError(f"{path} is of the kind {whole['model'].get('type')}, not {kind}")
    return whole["model"], whole


class WordPiece:
    """BERT's tokens: words, and where a word is not known the longest pieces of it that are.

    Schuster and Nakajima, "Japanese and Korean Voice Search", 2012.
    """

    longest = 100

    def __init__(self, vocabulary, lower=True):
        self.words = list(vocabulary)
        self.number = {word: number for number, word in enumerate(self.words)}
        self.lower = lower
        missing = {"[PAD]", "[UNK]", "[CLS]", "[SEP]"} - {*self.number}
        if missing:
            raise ValueError(f"the vocabulary lacks {', '.join(sorted(missing))}")

    @classmethod
    def from_folder(cls, folder):
        """Read vocab.txt and tokenizer_config.json, or tokenizer.json, which holds both."""
        folder = Path(folder)
        if (folder / "vocab.txt").exists():
            text = (folder / "vocab.txt").read_text(encoding="utf-8")
            settings = folder / "tokenizer_config.json"
            given = json.loads(settings.read_text(encoding="utf-8")) if settings.exists() else {}
            lower = given.get("do_lower_case", True)
            apart = given.get("tokenize_chinese_chars", True)
            words = text.removesuffix("\n").split("\n")
        else:
            model, whole = _fast(folder, "WordPiece")
            given = whole["normalizer"] or {}
            lower, apart = given.get("lowercase", False), given.get("handle_chinese_chars", False)
            words = sorted(model["vocab"], key=model["vocab"].get)
            if [model["vocab"][word] for word in words] != list(range(len(words))):
                raise ValueError(f"{folder}: the words are not numbered one after the other")
        if not apart or given.get("strip_accents") not in (None, lower):
            raise ValueError(f"{folder}: the text is prepared otherwise than BERT's: {given}")
        return cls(words, lower)

    def save(self, folder):
        """Write vocab.txt and what else `from_folder` reads."""
        text = "\n".join(self.words) + "\n"
        (Path(folder) / "vocab.txt").write_text(text, encoding="utf-8")
        settings = json.dumps({"do_lower_case": self.lower, "tokenizer_class": "BertTokenizer"})
        (Path(folder) / "tokenizer_config.json").write_text(settings, encoding="utf-8")

    def pieces(self, text):
        """Return the tokens of a text, in words."""
        found = []
        for word in self._words(text):
            found += self._split(word)
        return found

    def encode(self, text, longest=None):
        """Return the numbers of a text's tokens, at most so many, between [CLS] and [SEP]."""
        pieces = self.pieces(text)[: None if longest is None else longest - 2]
        return [self.number[piece] for piece in ["[CLS]", *pieces, "[SEP]"]]

    def batch(self, texts, longest=None):
        """Return texts as one tensor of numbers (batch, length), and the mask of what is text."""
        rows = [self.encode(text, longest) for text in texts]
        length, pad = max(map(len, rows)), self.number["[PAD]"]
        padding = [length - len(row) for row in rows]
        ids = [row + [pad] * count for row, count in zip(rows, padding)]
        mask = [[1] * (length - count) + [0] * count for count in padding]
        return aino.tensor(ids), aino.tensor(mask)

    def _words(self, text):
        text = "".join(" " if mark.isspace() else mark for mark in text if not _is_control(mark))
        text = "".join(f" {mark} " if _is_chinese(mark) else mark for mark in text)
        for word in text.split():
            if self.lower:
                marks = unicodedata.normalize("NFD", word.lower())
                word = "".join(mark for mark in marks if unicodedata.category(mark) != "Mn")
            begun = ""
            for mark in word:
                if _is_punctuation(mark):
                    yield from filter(None, (begun, mark))
                    begun = ""
                else:
                    begun += mark
            yield from filter(None, (begun,))

    def _split(self, word):
        if len(word) > self.longest:
            return ["[UNK]"]
        pieces, start = [], 0
        while start < len(word):
            for end in range(len(word), start, -1):
                piece = word[start:end] if start == 0 else f"##{word[start:end]}"
                if piece in self.number:
                    break
            else:
                return ["[UNK]"]
            pieces.append(piece)
            start = end
        return pieces


def _is_control(mark):
    code = ord(mark)
    return code in (0, 0xFFFD) or (
        unicodedata.category(mark)[0] == "C" and mark not in "\t\n\r"
    )


def _is_punctuation(mark):
    ascii_sign = mark.isascii() and mark.isprintable() and not mark.isalnum() and mark != " "
    return ascii_sign or unicodedata.category(mark)[0] == "P"


def _is_chinese(mark):
    code = ord(mark)
    return any(low <= code <= high for low, high in _CHINESE)


_CHINESE = (
    (0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x20000, 0x2A6DF), (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F), (0x2B820, 0x2CEAF), (0xF900, 0xFAFF), (0x2F800, 0x2FA1F),
)  # fmt: skip


class BytePairs:
    """GPT-2's tokens: bytes, the commonest neighbours of which have been joined again and again.

    Sennrich et al., "Neural Machine Translation of Rare Words with Subword Units", 2016.
    """

    #: Words, numbers and signs with the space before them, and other space.
    kinds = re.compile(r" ?L+| ?N+| ?O+|[ S]+(?![LNO])|[ S]+")
    endings = re.compile(r"'(?:s|t|re|ve|m|ll|d)")

    def __init__(self, vocabulary, merges):
        self.number = dict(vocabulary)
        self.token = {number: token for token, number in self.number.items()}
        self.rank = {pair: rank for rank, pair in enumerate(merges)}
        self.mark = _marks_of_bytes()
        self.byte = {mark: byte for byte, mark in self.mark.items()}

    @classmethod
    def from_folder(cls, folder):
        """Read vocab.json and merges.txt, or tokenizer.json, which holds both."""
        if not (Path(folder) / "vocab.json").exists():
            model, _ = _fast(folder, "BPE")
            pairs = [tuple(m.split()) if isinstance(m, str) else tuple(m) for m in model["merges"]]
            return cls(model["vocab"], pairs)
        vocabulary = json.loads((Path(folder) / "vocab.json").read_text(encoding="utf-8"))
        lines = (Path(folder) / "merges.txt").read_text(encoding="utf-8").split("\n")
        merges = [tuple(line.split()) for line in lines if line and not line.startswith("#version")]
        return cls(vocabulary, merges)

    def encode(self, text):
        """Return the numbers of a text's tokens."""
        numbers = []
        for word in self._words(text):
            marks = [self.mark[byte] for byte in word.encode("utf-8")]
            numbers += [self.number[token] for token in self._joined(marks)]
        return numbers

    def decode(self, numbers):
        """Return the text of tokens; what is no whole character becomes a question mark."""
        marks = "".join(self.token[number] for number in numbers)
        return bytes(self.byte[mark] for mark in marks).decode("utf-8", errors="replace")

    def _words(self, text):
        kinds = "".join(map(_kind, text))
        place = 0
        while place < len(text):
            found = self.endings.match(text, place) or self.kinds.match(kinds, place)
            assert found is not None  # every character is of a kind
            yield text[place : found.end()]
            place = found.end()

    def _joined(self, marks):
        never = len(self.rank)
        while len(marks) > 1:
            pairs = list(pairwise(marks))
            first = min(pairs, key=lambda pair: self.rank.get(pair, never))
            if first not in self.rank:
                break
            joined, place = [], 0
            while place < len(marks):
                if place + 1 < len(marks) and pairs[place] == first:
                    joined.append(marks[place] + marks[place + 1])
                    place += 2
                else:
                    joined.append(marks[place])
                    place += 1
            marks = joined
        return marks


def _kind(mark):
    """Return the kind of a character: a letter, a number, the space, other space, other signs."""
    if mark == " ":
        return " "
    if mark.isspace() and mark not in "\x1c\x1d\x1e\x1f":
        return "S"
    kind = unicodedata.category(mark)[0]
    return kind if kind in "LN" else "O"


def _marks_of_bytes():
    """Return a visible character for each byte, as the vocabulary writes them."""
    plain = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), 256)]
    others = [byte for byte in range(256) if byte not in plain]
    return {byte: chr(byte) for byte in plain} | {
        byte: chr(256 + number) for number, byte in enumerate(others)
    }
