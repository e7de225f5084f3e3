"""GPT-2, with the names of its published checkpoints (openai-community/gpt2 and its kin).

Radford et al., "Language Models are Unsupervised Multitask Learners", 2019.

    config = GPT2Config.from_json("gpt2/config.json")
    model = GPT2LMHeadModel(config)
    model.load_state_dict(fitting(aino.load("gpt2/model.safetensors"), model))
"""

import math
from dataclasses import dataclass

import aino
from aino import nn
from aino.nn import functional as F

from .settings import Settings, activation


@aino.register("published.GPT2Config")
@dataclass(frozen=True)
class GPT2Config(Settings):
    """The settings of GPT-2; what they are not told is that of the smallest published one."""

    model_type = "gpt2"
    #: `n_ctx` sized the mask that old files carry; `summary_*` belong to a head for multiple
    #: choice; to reorder and upcast is to compute the same in another precision.
    harmless = (
        "n_ctx", "reorder_and_upcast_attn", "summary_activation", "summary_first_dropout",
        "summary_proj_to_labels", "summary_type", "summary_use_proj",
    )  # fmt: skip

    vocab_size: int = 50257
    n_positions: int = 1024
    n_embd: int = 768
    n_layer: int = 12
    n_head: int = 12
    n_inner: int | None = None
    activation_function: str = "gelu_new"
    resid_pdrop: float = 0.1
    embd_pdrop: float = 0.1
    attn_pdrop: float = 0.1
    layer_norm_epsilon: float = 1e-5
    initializer_range: float = 0.02
    scale_attn_weights: bool = True
    scale_attn_by_inverse_layer_idx: bool = False
    tie_word_embeddings: bool = True

    def __post_init__(self):
        super().__post_init__()
        if self.n_embd % self.n_head:
            raise ValueError(f"n_embd = {self.n_embd} is no multiple of n_head = {self.n_head}")


@aino.register("published.Conv1D")
class Conv1D(nn.Module):
    """A linear layer whose weight lies as OpenAI published it: (in, out)."""

    def __init__(self, inside, outside, std):
        super().__init__()
        self.weight = nn.Parameter(aino.empty(inside, outside))
        self.bias = nn.Parameter(aino.zeros(outside))
        nn.init.normal_(self.weight, std=std)

    def forward(self, x):
        return F.linear(x, self.weight.mT, self.bias)


@aino.register("published.GPT2Attention")
class Attention(nn.Module):
    """Every place of a text looks at those before it."""

    def __init__(self, config, index):
        super().__init__()
        width, std = config.n_embd, config.initializer_range
        self.index, self.heads = index, config.n_head
        self.scale = (width // config.n_head) ** -0.5 if config.scale_attn_weights else 1.0
        if config.scale_attn_by_inverse_layer_idx:
            self.scale /= index + 1
        self.c_attn = Conv1D(width, 3 * width, std)
        self.c_proj = Conv1D(width, width, std / math.sqrt(2 * config.n_layer))
        self.dropout, self.resid_dropout = config.attn_pdrop, nn.Dropout(config.resid_pdrop)

    def forward(self, x, mask, cache):
        shape = (*x.shape[:2], self.heads, x.shape[2] // self.heads)
        query, key, value = (
            part.view(shape).transpose(1, 2) for part in self.c_attn(x).chunk(3, dim=-1)
        )
        if cache is not None:
            if self.index in cache:  # what the places before these have to say
                key = aino.cat([cache[self.index][0], key], dim=2)
                value = aino.cat([cache[self.index][1], value], dim=2)
            cache[self.index] = key, value
        y = F.scaled_dot_product_attention(
            query, key, value, mask, self.dropout if self.training else 0.0,
            is_causal=mask is None, scale=self.scale,
        )  # fmt: skip
        return self.resid_dropout(self.c_proj(y.transpose(1, 2).reshape(x.shape)))


@aino.register("published.GPT2MLP")
class MLP(nn.Module):
    """Every place thinks for itself."""

    def __init__(self, config):
        super().__init__()
        width, inner, std = config.n_embd, config.n_inner, config.initializer_range
        inner = 4 * width if inner is None else inner
        self.c_fc = Conv1D(width, inner, std)
        self.c_proj = Conv1D(inner, width, std / math.sqrt(2 * config.n_layer))
        self.act = activation(config.activation_function)
        self.dropout = nn.Dropout(config.resid_pdrop)

    def forward(self, x):
        return self.dropout(self.c_proj(self.act(self.c_fc(x))))


@aino.register("published.GPT2Block")
class Block(nn.Module):
    """Both, each on what it has been given, brought to mean 0 and variance 1, and added to it."""

    def __init__(self, config, index):
        super().__init__()
        self.ln_1 = nn.LayerNorm(config.n_embd, eps=config.layer_norm_epsilon)
        self.attn = Attention(config, index)
        self.ln_2 = nn.LayerNorm(config.n_embd, eps=config.layer_norm_epsilon)
        self.mlp = MLP(config)

    def forward(self, x, mask, cache):
        x = x + self.attn(self.ln_1(x), mask, cache)
        return x + self.mlp(self.ln_2(x))


@aino.register("published.GPT2Model")
class GPT2Model(nn.Module):
    """From tokens (batch, length), by number, to what is known of each (batch, length, width)."""

    config_class = GPT2Config
    unused = ("lm_head.", "score.")

    def __init__(self, config):
        super().__init__()
        self.config = config
        self.wte = nn.Embedding(config.vocab_size, config.n_embd)
        self.wpe = nn.Embedding(config.n_positions, config.n_embd)
        for embedding in (self.wte, self.wpe):
            nn.init.normal_(embedding.weight, std=config.initializer_range)
        self.drop = nn.Dropout(config.embd_pdrop)
        self.h = nn.ModuleList([Block(config, index) for index in range(config.n_layer)])
        self.ln_f = nn.LayerNorm(config.n_embd, eps=config.layer_norm_epsilon)

    def forward(
        self, input_ids, attention_mask=None, token_type_ids=None, position_ids=None, cache=None
    ):
        """Return the last hidden state.

        ``attention_mask`` (batch, length so far) is 0 where nobody looks. A ``cache``, an empty
        dictionary at first, keeps keys and values, so that a text may come in pieces.
        """
        length, past = input_ids.shape[1], cache[0][0].shape[2] if cache else 0
        if past + length > self.config.n_positions:
            raise ValueError(f"{past + length} tokens, but n_positions = {self.config.n_positions}")
        places = aino.arange(past, past + length)
        mask = None
        if attention_mask is not None or past:
            mask = aino.arange(past + length) <= places[:, None]
        if attention_mask is not None:
            if attention_mask.shape != (len(input_ids), past + length):
                raise ValueError(
                    f"attention_mask has the shape {tuple(attention_mask.shape)}; wanted is "
                    f"{(len(input_ids), past + length)}: the batch, and all tokens so far"
                )
            mask = mask & attention_mask[:, None, None, :].bool()
        x = self.wte(input_ids) + self.wpe(places if position_ids is None else position_ids)
        if token_type_ids is not None:
            x = x + self.wte(token_type_ids)
        x = self.drop(x)
        for block in self.h:
            x = block(x, mask, cache)
        return self.ln_f(x)


@aino.register("published.GPT2LMHeadModel")
class GPT2LMHeadModel(nn.Module):
    """GPT-2 that says how likely each token is to come next: logits (batch, length, vocab_size)."""

    config_class = GPT2Config
    unused = ("score.",)

    def __init__(self, config):
        super().__init__()
        self.config = config
        self.transformer = GPT2Model(config)
        self.lm_head = nn.Linear(config.n_embd, config.vocab_size, bias=False)
        if config.tie_word_embeddings:
            self.lm_head.weight = self.transformer.wte.weight
        else:
            nn.init.normal_(self.lm_head.weight, std=config.initializer_range)

    def forward(
        self, input_ids, attention_mask=None, token_type_ids=None, position_ids=None, cache=None
    ):
        x = self.transformer(input_ids, attention_mask, token_type_ids, position_ids, cache)
        return self.lm_head(x)

    @aino.no_grad()
    def generate(
        self, input_ids, max_new_tokens, do_sample=False, temperature=1.0, top_k=None,
        eos_token_id=None, generator=None,
    ):  # fmt: skip
        """Go on with texts (batch, length) by the likeliest tokens, or by ones that are drawn.

        ``top_k`` draws from the likeliest alone. After ``eos_token_id`` a text repeats that.
        """
        longest = input_ids.shape[1] + max_new_tokens - 1  # the last one is not read any more
        if longest > self.config.n_positions:
            raise ValueError(f"{longest} tokens, but n_positions = {self.config.n_positions}")
        training = [module for module in self.modules() if module.training]
        self.eval()
        cache, new = {}, input_ids
        ended = aino.zeros(len(input_ids), 1, dtype=aino.bool)
        for _ in range(max_new_tokens):
            logits = self(new, cache=cache)[:, -1]
            if top_k is not None:
                least = logits.topk(min(top_k, logits.shape[-1])).values[:, -1:]
                logits = logits.masked_fill(logits < least, -math.inf)
            if do_sample:
                new = aino.multinomial(F.softmax(logits / temperature, -1), 1, generator=generator)
            else:
                new = logits.argmax(-1, keepdim=True)
            if eos_token_id is not None:
                new = new.masked_fill(ended, eos_token_id)
                ended = ended | (new == eos_token_id)
            input_ids = aino.cat([input_ids, new], dim=1)
            if ended.all():
                break
        for module in training:
            module.training = True
        return input_ids
