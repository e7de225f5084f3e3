"""ResNet, with the names of its published checkpoints: those of torchvision and timm, and others.

He et al., "Deep Residual Learning for Image Recognition", 2015; the stride stands at the 3x3
convolution of a bottleneck, as in torchvision. `ResNet` has torchvision's names (conv1,
layer1.0.conv1, fc), `ResNetForImageClassification` those of microsoft/resnet-50 and its kin.

    model = ResNet(ResNetConfig.named("resnet50"))
    model.load_state_dict(aino.load("resnet50-11ad3fa6.pth"))
"""

from dataclasses import dataclass
from typing import Any

import aino
from aino import nn
from aino.nn import functional as F

from .settings import Settings, activation

#: The published ones: their kind of block, and how many of them there are in each stage.
ARCHITECTURES = {
    "resnet18": ("basic", (2, 2, 2, 2)),
    "resnet34": ("basic", (3, 4, 6, 3)),
    "resnet50": ("bottleneck", (3, 4, 6, 3)),
    "resnet101": ("bottleneck", (3, 4, 23, 3)),
    "resnet152": ("bottleneck", (3, 8, 36, 3)),
}


@aino.register("published.ResNetConfig")
@dataclass(frozen=True)
class ResNetConfig(Settings):
    """The settings of ResNet; what they are not told is that of resnet50."""

    model_type = "resnet"
    harmless = ("out_features", "out_indices", "stage_names")  # of a model that has no head

    num_channels: int = 3
    embedding_size: int = 64
    hidden_sizes: tuple[int, ...] = (256, 512, 1024, 2048)
    depths: tuple[int, ...] = (3, 4, 6, 3)
    layer_type: str = "bottleneck"
    hidden_act: str = "relu"
    downsample_in_first_stage: bool = False
    downsample_in_bottleneck: bool = False
    labels: tuple[str, ...] = ("LABEL_0", "LABEL_1")

    def __post_init__(self):
        super().__post_init__()
        if self.layer_type not in ("basic", "bottleneck"):
            raise ValueError(f"layer_type is {self.layer_type!r}, neither basic nor bottleneck")
        if len(self.hidden_sizes) != len(self.depths):
            raise ValueError(f"{len(self.hidden_sizes)} hidden_sizes for {len(self.depths)} depths")

    @classmethod
    def from_dict(cls, settings):
        """Return the configuration that a config.json describes, transformers' or timm's."""
        if "architecture" not in settings:
            return super().from_dict(settings)
        # timm's: `pretrained_cfg` says how images are prepared.
        harmless = {"architecture", "num_classes", "num_features", "pretrained_cfg", "label_names",
                    "label_descriptions"}  # fmt: skip
        for name, value in settings.items():
            if name not in harmless and (name, value) != ("global_pool", "avg"):
                raise ValueError(f"{cls.__name__} does not know timm's setting {name} = {value!r}")
        return cls.named(settings["architecture"], settings.get("num_classes", 1000))

    @classmethod
    def named(cls, name, num_classes=1000, width=64):
        """Return the configuration of a published ResNet, or of a narrower one (width < 64)."""
        if name not in ARCHITECTURES:
            raise ValueError(f"unknown ResNet {name!r}; there are {', '.join(ARCHITECTURES)}")
        kind, depths = ARCHITECTURES[name]
        last = 4 if kind == "bottleneck" else 1
        return cls(
            embedding_size=width, hidden_sizes=tuple(width * last * 2**i for i in range(4)),
            depths=depths, layer_type=kind, labels=tuple(f"LABEL_{i}" for i in range(num_classes)),
        )  # fmt: skip


def plan(config, stage, place):
    """Return the convolutions of one block as (in, out, size, stride), and its own (in, stride)."""
    outside = config.hidden_sizes[stage]
    first = place == 0
    before = config.hidden_sizes[stage - 1] if stage else config.embedding_size
    inside = before if first else outside
    stride = 2 if first and (stage or config.downsample_in_first_stage) else 1
    if config.layer_type == "basic":
        return [(inside, outside, 3, stride), (outside, outside, 3, 1)], (inside, stride)
    narrow = outside // 4
    early, late = (stride, 1) if config.downsample_in_bottleneck else (1, stride)
    convolutions = [(inside, narrow, 1, early), (narrow, narrow, 3, late), (narrow, outside, 1, 1)]
    return convolutions, (inside, stride)


def convolution(inside, outside, size, stride):
    """Return a convolution that keeps the size of an image, but for its stride."""
    return nn.Conv2d(inside, outside, size, stride, padding=size // 2, bias=False)


def initialized(model):
    """Return the model with convolutions drawn as He et al. say."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    return model


def check_channels(config, images):
    if images.ndim != 4 or images.shape[1] != config.num_channels:
        raise ValueError(
            f"images have the shape {tuple(images.shape)}; wanted is (batch, "
            f"{config.num_channels}, height, width)"
        )


@aino.register("published.ResNetBlock")
class Block(nn.Module):
    """Two or three convolutions whose result is added to what they were given."""

    def __init__(self, config, stage, place):
        super().__init__()
        convolutions, (inside, stride) = plan(config, stage, place)
        outside = convolutions[-1][1]
        self.count = len(convolutions)
        for number, settings in enumerate(convolutions, 1):
            setattr(self, f"conv{number}", convolution(*settings))
            setattr(self, f"bn{number}", nn.BatchNorm2d(settings[1]))
        self.act = activation(config.hidden_act)
        self.downsample = None
        if stride != 1 or inside != outside:
            self.downsample = nn.Sequential(
                convolution(inside, outside, 1, stride), nn.BatchNorm2d(outside)
            )

    def forward(self, x):
        y = x
        for number in range(1, self.count + 1):
            y = getattr(self, f"bn{number}")(getattr(self, f"conv{number}")(y))
            if number < self.count:
                y = self.act(y)
        return self.act(y + (x if self.downsample is None else self.downsample(x)))


@aino.register("published.ResNet")
class ResNet(nn.Module):
    """From images (batch, channels, height, width) to logits; torchvision's names."""

    config_class = ResNetConfig
    unused = ()

    def __init__(self, config):
        super().__init__()
        self.config = config
        self.conv1 = convolution(config.num_channels, config.embedding_size, 7, 2)
        self.bn1 = nn.BatchNorm2d(config.embedding_size)
        self.act = activation(config.hidden_act)
        for stage, depth in enumerate(config.depths):
            blocks = [Block(config, stage, place) for place in range(depth)]
            setattr(self, f"layer{stage + 1}", nn.Sequential(*blocks))
        self.fc = nn.Linear(config.hidden_sizes[-1], len(config.labels))
        initialized(self)

    def forward(self, images):
        check_channels(self.config, images)
        x = self.act(self.bn1(self.conv1(images)))
        x = F.max_pool2d(x, 3, 2, padding=1)
        for stage in range(len(self.config.depths)):
            x = getattr(self, f"layer{stage + 1}")(x)
        return self.fc(x.mean((2, 3)))


@aino.register("published.ResNetConvLayer")
class ConvLayer(nn.Module):
    """A convolution whose outputs are normalised; the activation follows unless it is the last."""

    def __init__(self, settings, act=None):
        super().__init__()
        self.convolution = convolution(*settings)
        self.normalization = nn.BatchNorm2d(settings[1])
        self.act = nn.Identity() if act is None else activation(act)

    def forward(self, x):
        return self.act(self.normalization(self.convolution(x)))


@aino.register("published.ResNetLayer")
class Layer(nn.Module):
    """`Block`, with other names."""

    def __init__(self, config, stage, place):
        super().__init__()
        convolutions, (inside, stride) = plan(config, stage, place)
        outside = convolutions[-1][1]
        projects = stride != 1 or inside != outside
        self.shortcut = ConvLayer((inside, outside, 1, stride)) if projects else nn.Identity()
        # The inner activations are ReLU whatever `hidden_act` says.
        *inner, last = convolutions
        self.layer = nn.Sequential(*(ConvLayer(one, "relu") for one in inner), ConvLayer(last))
        self.act = activation(config.hidden_act)

    def forward(self, x):
        return self.act(self.layer(x) + self.shortcut(x))


@aino.register("published.ResNetModel")
class ResNetModel(nn.Module):
    """From images to what is known of them: (batch, channels, height, width)."""

    config_class = ResNetConfig
    unused = ("classifier.",)

    def __init__(self, config):
        super().__init__()
        self.config = config
        first = (config.num_channels, config.embedding_size, 7, 2)
        self.embedder: Any = nn.Module()
        self.embedder.embedder = ConvLayer(first, config.hidden_act)
        self.encoder: Any = nn.Module()
        self.encoder.stages = nn.ModuleList()
        for stage, depth in enumerate(config.depths):
            one = nn.Module()
            one.layers = nn.Sequential(*(Layer(config, stage, place) for place in range(depth)))
            self.encoder.stages.append(one)
        initialized(self)

    def forward(self, images):
        check_channels(self.config, images)
        x = F.max_pool2d(self.embedder.embedder(images), 3, 2, padding=1)
        for stage in self.encoder.stages:
            x = stage.layers(x)
        return x


@aino.register("published.ResNetForImageClassification")
class ResNetForImageClassification(nn.Module):
    """From images (batch, channels, height, width) to logits; transformers' names."""

    config_class = ResNetConfig
    unused = ()

    def __init__(self, config):
        super().__init__()
        self.config = config
        self.resnet = ResNetModel(config)
        self.classifier = nn.Sequential(
            nn.Flatten(), nn.Linear(config.hidden_sizes[-1], len(config.labels))
        )

    def forward(self, images):
        return self.classifier(self.resnet(images).mean((2, 3)))
