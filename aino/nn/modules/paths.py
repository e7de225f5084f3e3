"""Where PyTorch's programs import classes from that stand in another file here.

A file here holds one concept; PyTorch's hold more. ``aino.nn`` lets each of these names be found in
the file that PyTorch has it in, too.
"""

from __future__ import annotations

#: The classes by the file in which PyTorch has them.
ALSO = {
    "activation": """
        GLU Hardshrink Hardtanh LogSoftmax MultiheadAttention Softmax Softmax2d Softmin Softshrink
        Threshold
    """,
    "batchnorm": "LazyBatchNorm1d LazyBatchNorm2d LazyBatchNorm3d",
    "container": "Container ModuleDict ParameterDict ParameterList",
    "conv": """
        LazyConv1d LazyConv2d LazyConv3d LazyConvTranspose1d LazyConvTranspose2d
        LazyConvTranspose3d
    """,
    "instancenorm": "LazyInstanceNorm1d LazyInstanceNorm2d LazyInstanceNorm3d",
    "linear": "LazyLinear",
    "loss": """
        BCELoss BCEWithLogitsLoss CTCLoss CosineEmbeddingLoss CrossEntropyLoss HingeEmbeddingLoss
        KLDivLoss LinearCrossEntropyLoss MarginRankingLoss MultiLabelMarginLoss
        MultiLabelSoftMarginLoss MultiMarginLoss NLLLoss NLLLoss2d SoftMarginLoss TripletMarginLoss
        TripletMarginWithDistanceLoss
    """,
    "rnn": "GRUCell LSTMCell RNNCell RNNCellBase",
}
#: The bases without a public name that classes of users are derived from: file, name, own file.
BASES = (
    ("conv", "_ConvNd", "conv_shared"),
    ("conv", "_ConvTransposeNd", "conv_shared"),
    ("loss", "_WeightedLoss", "loss_classes"),
)


def spread(modules: dict[str, object], classes: dict[str, object]) -> None:
    """Give each file the classes that PyTorch has there.

    Arguments:
        modules: the files by their names.
        classes: the classes by theirs.
    """
    for file, names in ALSO.items():
        vars(modules[file]).update({name: classes[name] for name in names.split()})
    for file, name, own in BASES:
        vars(modules[file])[name] = getattr(modules[own], name)
