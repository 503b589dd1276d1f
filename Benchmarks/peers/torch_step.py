"""Times training steps of the paper's networks in PyTorch; one JSON line, as step-time prints it."""

import torch
from torch import nn
from torch.nn import functional

import peer

MODES = ("channels_last", "contiguous", "compiled")
FUNCTIONS = {"relu": functional.relu, "selu": functional.selu, "swish": functional.silu}


class Activation(nn.Module):
    """g(z), or linked: concat(g(z), g(−z)) over channels.

    PReLU has a slope for each channel, which is less work than the paper's slope for each position; PyTorch has a
    kernel only for that.
    """

    def __init__(self, name, channels, linked):
        super().__init__()
        self.linked = linked
        if name == "prelu":
            self.member = nn.PReLU(channels, init=0.0)
            self.mirrored_member = nn.PReLU(channels, init=0.0) if linked else None
        else:
            self.member = self.mirrored_member = FUNCTIONS[name]

    def forward(self, z):
        return torch.cat((self.member(z), self.mirrored_member(-z)), 1) if self.linked else self.member(z)


class Bottleneck(nn.Module):
    def __init__(self, body, shortcut):
        super().__init__()
        self.body, self.shortcut = body, shortcut

    def forward(self, x):
        return self.body(x) + self.shortcut(x)


class Builder:
    """Turns layers into modules, following the shape that reaches them."""

    def __init__(self, options):
        self.activation = options.activation.removeprefix("lk-")
        self.linked = options.activation.startswith("lk-")
        self.batch_norm = options.batch_norm
        self.channels, self.size = 3, 32

    def sequential(self, layers):
        modules = [module for layer in layers for module in self.modules(*layer)]
        return nn.Sequential(*modules)

    def modules(self, kind, *numbers):
        match kind:
            case "conv": return self.convolution(*numbers)
            case "norm": return self.norm(nn.BatchNorm1d)
            case "activation": return [self.activated(self.linked)]
            case "base activation": return [self.activated(False)]
            case "dropout": return [nn.Dropout(*numbers)]
            case "max pool":
                self.size //= 2
                return [nn.MaxPool2d(2)]
            case "global average pool": return [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
            case "flatten":
                self.channels *= self.size * self.size
                return [nn.Flatten()]
            case "dense":
                inputs, self.channels = self.channels, numbers[0]
                return [nn.Linear(inputs, self.channels)]
            case "bottleneck": return [self.bottleneck(*numbers)]

    def convolution(self, filters, kernel, stride, padding):
        before, after = peer.same_padding(self.size, kernel, stride) if padding == "same" else (0, 0)
        modules = []
        if before != after: modules.append(nn.ZeroPad2d((before, after, before, after)))
        modules.append(nn.Conv2d(self.channels, filters, kernel, stride, before if before == after else 0))
        self.channels = filters
        self.size = (self.size + before + after - kernel) // stride + 1
        return modules + self.norm(nn.BatchNorm2d)

    def norm(self, module):
        if not self.batch_norm: return []
        return [module(self.channels, eps=peer.BATCH_NORM_EPSILON, momentum=1 - peer.BATCH_NORM_MOMENTUM)]

    def activated(self, linked):
        activation = Activation(self.activation, self.channels, linked)
        if linked: self.channels *= 2
        return activation

    def bottleneck(self, inner, outer, stride, projects):
        channels, size = self.channels, self.size
        shortcut = self.sequential([("conv", outer, 1, stride, "same")]) if projects else nn.Identity()
        self.channels, self.size = channels, size
        return Bottleneck(self.sequential(peer.bottleneck_body(inner, outer, stride)), shortcut)


def optimizer(kind, rate, parameters):
    """The fused one, a single kernel for all parameters, where PyTorch has it."""
    match kind:
        case "sgd": return torch.optim.SGD(parameters, rate, fused=True)
        case "sgd with nesterov momentum":
            return torch.optim.SGD(parameters, rate, momentum=0.9, nesterov=True, fused=True)
        case "adam": return torch.optim.Adam(parameters, rate, fused=True)
        case "rmsprop": return torch.optim.RMSprop(parameters, rate, alpha=0.9, foreach=True)


def main():
    options = peer.arguments(__doc__, MODES)
    torch.set_num_threads(options.threads)
    torch.manual_seed(100)
    network = Builder(options).sequential(peer.NETWORKS[options.model]())
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            nn.init.xavier_uniform_(module.weight)
            nn.init.zeros_(module.bias)
    images = torch.rand(options.batch_size, 3, 32, 32)
    labels = torch.randint(0, peer.CLASSES, (options.batch_size,))
    if options.mode != "contiguous":
        network = network.to(memory_format=torch.channels_last)
        images = images.contiguous(memory_format=torch.channels_last)
    kind, rate, decay = peer.OPTIMIZERS[options.model]
    updates = optimizer(kind, rate, network.parameters())
    forward = torch.compile(network) if options.mode == "compiled" else network
    step_count = 0

    def step():
        nonlocal step_count
        for group in updates.param_groups: group["lr"] = rate / (1 + decay * step_count)
        step_count += 1
        updates.zero_grad(set_to_none=True)
        functional.cross_entropy(forward(images), labels).backward()
        updates.step()

    peer.report(f"PyTorch {torch.__version__}", options, step)


main()
