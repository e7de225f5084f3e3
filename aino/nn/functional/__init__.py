"""The functions behind the modules, under PyTorch's names."""

from aino.nn.functional.activation import *
from aino.nn.functional.adaptive_pooling import (
    adaptive_avg_pool1d,
    adaptive_avg_pool2d,
    adaptive_avg_pool3d,
    adaptive_max_pool1d,
    adaptive_max_pool1d_with_indices,
    adaptive_max_pool2d,
    adaptive_max_pool2d_with_indices,
    adaptive_max_pool3d,
    adaptive_max_pool3d_with_indices,
)
from aino.nn.functional.attention import (
    multi_head_attention_forward,
    scaled_dot_product_attention,
)
from aino.nn.functional.batchnorm import batch_norm, group_norm, instance_norm
from aino.nn.functional.binary import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    hinge_embedding_loss,
    kl_div,
    multilabel_soft_margin_loss,
    soft_margin_loss,
)
from aino.nn.functional.classification import (
    cross_entropy,
    multi_margin_loss,
    multilabel_margin_loss,
    nll_loss,
)
from aino.nn.functional.conv import (
    conv1d,
    conv2d,
    conv3d,
    conv_tbc,
    conv_transpose1d,
    conv_transpose2d,
    conv_transpose3d,
)
from aino.nn.functional.ctc import ctc_loss
from aino.nn.functional.distance import (
    cosine_embedding_loss,
    cosine_similarity,
    margin_ranking_loss,
    normalize,
    pairwise_distance,
    pdist,
    triplet_margin_loss,
    triplet_margin_with_distance_loss,
)
from aino.nn.functional.dropout import (
    alpha_dropout,
    dropout,
    dropout1d,
    dropout2d,
    dropout3d,
    feature_alpha_dropout,
)
from aino.nn.functional.embedding_bag import embedding_bag
from aino.nn.functional.fold import fold, unfold
from aino.nn.functional.fractional_pooling import (
    fractional_max_pool2d,
    fractional_max_pool2d_with_indices,
    fractional_max_pool3d,
    fractional_max_pool3d_with_indices,
)
from aino.nn.functional.grids import (
    affine_grid,
    grid_sample,
)
from aino.nn.functional.grouped import (
    ScalingType,
    SwizzleType,
    grouped_mm,
    scaled_grouped_mm,
    scaled_mm,
)
from aino.nn.functional.linear import bilinear, linear
from aino.nn.functional.linear_cross_entropy import linear_cross_entropy
from aino.nn.functional.local_response import local_response_norm
from aino.nn.functional.normalization import layer_norm, rms_norm
from aino.nn.functional.pooling import (
    avg_pool1d,
    avg_pool2d,
    avg_pool3d,
    max_pool1d,
    max_pool1d_with_indices,
    max_pool2d,
    max_pool2d_with_indices,
    max_pool3d,
    max_pool3d_with_indices,
)
from aino.nn.functional.power_pooling import (
    lp_pool1d,
    lp_pool2d,
    lp_pool3d,
)
from aino.nn.functional.regression import (
    gaussian_nll_loss,
    huber_loss,
    l1_loss,
    mse_loss,
    poisson_nll_loss,
    smooth_l1_loss,
)
from aino.nn.functional.resampling import (
    interpolate,
    upsample,
    upsample_bilinear,
    upsample_nearest,
)
from aino.nn.functional.shuffling import (
    channel_shuffle,
    native_channel_shuffle,
    pixel_shuffle,
    pixel_unshuffle,
)
from aino.nn.functional.sparse import embedding, one_hot
from aino.nn.functional.unpooling import (
    max_unpool1d,
    max_unpool2d,
    max_unpool3d,
)
from aino.ops.given import public as _public
from aino.ops.shape.padding import pad

# ``linear`` is on the way of every step, and says so itself.
globals().update(_public(dict(globals()), hot=("linear",), module=__name__))
