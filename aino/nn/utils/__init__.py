"""Helpers for parameters and their gradients, under PyTorch's names."""

from aino.nn.utils import rnn as rnn
from aino.nn.utils.clip_grad import (
    clip_grad_norm_,
    clip_grad_value_,
    clip_grads_with_norm_,
    get_total_norm,
)
from aino.nn.utils.convert_parameters import parameters_to_vector, vector_to_parameters
