"""A ResNet in PyTorch with torchvision's names, for its files: torchvision itself is large."""

from tests.parity.compare import torch

nn = torch.nn


def conv(inside, outside, size, stride=1):
    return nn.Conv2d(inside, outside, size, stride, size // 2, bias=False)


class TorchvisionBlock(nn.Module):
    def __init__(self, sizes, inside, outside, stride):
        super().__init__()
        channels = [inside, *(width for width, _ in sizes)]
        strided = len(sizes) == 3  # the second convolution of a bottleneck has the stride
        for number, (width, size) in enumerate(sizes):
            here = stride if number == strided else 1
            self.add_module(f"conv{number + 1}", conv(channels[number], width, size, here))
            self.add_module(f"bn{number + 1}", nn.BatchNorm2d(width))
        self.relu = nn.ReLU(inplace=True)
        self.count = len(sizes)
        self.downsample = None
        if stride != 1 or inside != outside:
            self.downsample = nn.Sequential(
                conv(inside, outside, 1, stride), nn.BatchNorm2d(outside)
            )

    def forward(self, x):
        out = x
        for number in range(1, self.count + 1):
            out = self.get_submodule(f"conv{number}")(out)
            out = self.get_submodule(f"bn{number}")(out)
            if number < self.count:
                out = self.relu(out)
        out += x if self.downsample is None else self.downsample(x)
        return self.relu(out)


class TorchvisionResNet(nn.Module):
    def __init__(self, kind, depths, classes, width):
        super().__init__()
        self.conv1, self.bn1 = conv(3, width, 7, 2), nn.BatchNorm2d(width)
        self.relu, self.maxpool = nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1)
        inside = width
        for stage, depth in enumerate(depths):
            planes, blocks = width * 2**stage, []
            if kind == "basic":
                sizes, outside = [(planes, 3), (planes, 3)], planes
            else:
                sizes, outside = [(planes, 1), (planes, 3), (4 * planes, 1)], 4 * planes
            for place in range(depth):
                stride = 2 if stage and not place else 1
                blocks.append(TorchvisionBlock(sizes, inside, outside, stride))
                inside = outside
            self.add_module(f"layer{stage + 1}", nn.Sequential(*blocks))
        self.avgpool, self.fc = nn.AdaptiveAvgPool2d((1, 1)), nn.Linear(inside, classes)

    def forward(self, x):
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(torch.flatten(self.avgpool(x), 1))
