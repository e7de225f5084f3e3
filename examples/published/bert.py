"""BERT, with the names of its published checkpoints (google-bert/bert-base-uncased and its kin).

Devlin et al., "BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding",
2019.

    config = BertConfig.from_json("bert/config.json")
    model = BertForMaskedLM(config)
    model.load_state_dict(fitting(aino.load("bert/model.safetensors"), model))
"""

from dataclasses import dataclass
from typing import Any

import aino
from aino import nn
from aino.nn import functional as F

from .settings import Settings, activation


@aino.register("published.BertConfig")
@dataclass(frozen=True)
class BertConfig(Settings):
    """The settings of BERT; what they are not told is that of the smaller published one."""

    model_type = "bert"
    #: Of a pooler that no checkpoint has.
    harmless = (
        "directionality", "pooler_fc_size", "pooler_num_attention_heads", "pooler_num_fc_layers",
        "pooler_size_per_head", "pooler_type",
    )  # fmt: skip
    fixed = (("position_embedding_type", "absolute"),)

    vocab_size: int = 30522
    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    hidden_act: str = "gelu"
    hidden_dropout_prob: float = 0.1
    attention_probs_dropout_prob: float = 0.1
    max_position_embeddings: int = 512
    type_vocab_size: int = 2
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-12
    pad_token_id: int | None = 0
    classifier_dropout: float | None = None
    tie_word_embeddings: bool = True
    labels: tuple[str, ...] = ("LABEL_0", "LABEL_1")

    def __post_init__(self):
        super().__post_init__()
        if self.hidden_size % self.num_attention_heads:
            raise ValueError(
                f"hidden_size = {self.hidden_size} is no multiple of num_attention_heads = "
                f"{self.num_attention_heads}"
            )


def initialized(model):
    """Return the model with weights drawn as the paper says: normally, with a small variance."""
    for module in model.modules():
        if isinstance(module, (nn.Linear, nn.Embedding)):
            nn.init.normal_(module.weight, std=model.config.initializer_range)
        if isinstance(module, nn.Linear) and module.bias is not None:
            nn.init.zeros_(module.bias)
        if isinstance(module, nn.Embedding) and module.padding_idx is not None:
            with aino.no_grad():
                module.weight[module.padding_idx] = 0.0
    return model


@aino.register("published.BertEmbeddings")
class Embeddings(nn.Module):
    """What a token is, where it stands and to which of two sentences it belongs, as one sum."""

    def __init__(self, config):
        super().__init__()
        width = config.hidden_size
        self.word_embeddings = nn.Embedding(config.vocab_size, width, config.pad_token_id)
        self.position_embeddings = nn.Embedding(config.max_position_embeddings, width)
        self.token_type_embeddings = nn.Embedding(config.type_vocab_size, width)
        self.LayerNorm = nn.LayerNorm(width, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, input_ids, token_type_ids, position_ids):
        if position_ids is None:
            position_ids = aino.arange(input_ids.shape[1])
        if token_type_ids is None:
            token_type_ids = aino.zeros_like(input_ids)
        x = self.word_embeddings(input_ids) + self.token_type_embeddings(token_type_ids)
        return self.dropout(self.LayerNorm(x + self.position_embeddings(position_ids)))


@aino.register("published.BertSelfAttention")
class SelfAttention(nn.Module):
    """Every token looks at all others."""

    def __init__(self, config):
        super().__init__()
        width = config.hidden_size
        self.heads, self.dropout = config.num_attention_heads, config.attention_probs_dropout_prob
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))

    def forward(self, x, mask):
        shape = (*x.shape[:2], self.heads, x.shape[2] // self.heads)
        query, key, value = (
            part(x).view(shape).transpose(1, 2) for part in (self.query, self.key, self.value)
        )
        y = F.scaled_dot_product_attention(
            query, key, value, mask, self.dropout if self.training else 0.0
        )
        return y.transpose(1, 2).reshape(x.shape)


@aino.register("published.BertOutput")
class Output(nn.Module):
    """What was found, projected, added to what was there, and normalised."""

    def __init__(self, inside, config):
        super().__init__()
        self.dense = nn.Linear(inside, config.hidden_size)
        self.LayerNorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, x, before):
        return self.LayerNorm(self.dropout(self.dense(x)) + before)


@aino.register("published.BertAttention")
class Attention(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.self = SelfAttention(config)
        self.output = Output(config.hidden_size, config)

    def forward(self, x, mask):
        return self.output(self.self(x, mask), x)


@aino.register("published.BertDense")
class Dense(nn.Module):
    """A linear layer and what follows it: an activation, and in the language head a norm."""

    def __init__(self, inside, outside, act, eps=None):
        super().__init__()
        self.dense = nn.Linear(inside, outside)
        self.act = activation(act)
        if eps is not None:
            self.LayerNorm = nn.LayerNorm(outside, eps=eps)
        self.normalized = eps is not None

    def forward(self, x):
        x = self.act(self.dense(x))
        return self.LayerNorm(x) if self.normalized else x


@aino.register("published.BertLayer")
class Layer(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.attention = Attention(config)
        self.intermediate = Dense(config.hidden_size, config.intermediate_size, config.hidden_act)
        self.output = Output(config.intermediate_size, config)

    def forward(self, x, mask):
        x = self.attention(x, mask)
        return self.output(self.intermediate(x), x)


@aino.register("published.BertModel")
class BertModel(nn.Module):
    """From the numbers of tokens (batch, length) to what is known of each, and of the whole.

    Returns (batch, length, hidden_size) and (batch, hidden_size), None without a pooler.
    """

    config_class = BertConfig
    unused = ("cls.", "classifier.")

    def __init__(self, config, add_pooling_layer=True):
        super().__init__()
        self.config = config
        self.embeddings = Embeddings(config)
        self.encoder: Any = nn.Module()
        self.encoder.layer = nn.ModuleList([Layer(config) for _ in range(config.num_hidden_layers)])
        self.pooler = None
        if add_pooling_layer:
            self.pooler = Dense(config.hidden_size, config.hidden_size, "tanh")
        initialized(self)

    def forward(self, input_ids, attention_mask=None, token_type_ids=None, position_ids=None):
        """``attention_mask`` (batch, length) is 0 where nobody looks: at padding."""
        length, longest = input_ids.shape[1], self.config.max_position_embeddings
        if length > longest:
            raise ValueError(f"{length} tokens, but max_position_embeddings = {longest}")
        mask = None
        if attention_mask is not None:
            if attention_mask.shape != input_ids.shape:
                raise ValueError(
                    f"attention_mask has the shape {tuple(attention_mask.shape)}, and input_ids "
                    f"{tuple(input_ids.shape)}"
                )
            mask = attention_mask[:, None, None, :].bool()
        x = self.embeddings(input_ids, token_type_ids, position_ids)
        for layer in self.encoder.layer:
            x = layer(x, mask)
        return x, None if self.pooler is None else self.pooler(x[:, 0])


@aino.register("published.BertForSequenceClassification")
class BertForSequenceClassification(nn.Module):
    """BERT that tells what kind a text is: logits (batch, number of labels)."""

    config_class = BertConfig
    unused = ("cls.",)

    def __init__(self, config):
        super().__init__()
        self.config = config
        self.bert = BertModel(config)
        rate = config.classifier_dropout
        self.dropout = nn.Dropout(config.hidden_dropout_prob if rate is None else rate)
        self.classifier = nn.Linear(config.hidden_size, len(config.labels))
        initialized(self)

    def forward(self, input_ids, attention_mask=None, token_type_ids=None, position_ids=None):
        _, pooled = self.bert(input_ids, attention_mask, token_type_ids, position_ids)
        return self.classifier(self.dropout(pooled))


@aino.register("published.BertLMPredictionHead")
class LMPredictionHead(nn.Module):
    def __init__(self, config):
        super().__init__()
        width = config.hidden_size
        self.transform = Dense(width, width, config.hidden_act, config.layer_norm_eps)
        self.decoder = nn.Linear(width, config.vocab_size)
        # Published under two names; a model that ties nothing keeps the first and never reads it.
        self.bias = nn.Parameter(aino.zeros(config.vocab_size))
        if config.tie_word_embeddings:
            self.decoder.bias = self.bias

    def forward(self, x):
        return self.decoder(self.transform(x))


@aino.register("published.BertForMaskedLM")
class BertForMaskedLM(nn.Module):
    """BERT that says which tokens fit in each place: logits (batch, length, vocab_size)."""

    config_class = BertConfig
    unused = ("bert.pooler.", "cls.seq_relationship.")

    def __init__(self, config):
        super().__init__()
        self.config = config
        self.bert = BertModel(config, add_pooling_layer=False)
        self.cls: Any = nn.Module()
        self.cls.predictions = LMPredictionHead(config)
        initialized(self)
        if config.tie_word_embeddings:
            self.cls.predictions.decoder.weight = self.bert.embeddings.word_embeddings.weight

    def forward(self, input_ids, attention_mask=None, token_type_ids=None, position_ids=None):
        x, _ = self.bert(input_ids, attention_mask, token_type_ids, position_ids)
        return self.cls.predictions(x)
