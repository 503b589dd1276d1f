"""Times training steps of the paper's networks in Keras on TensorFlow; one JSON line, as step-time prints it."""

import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import tensorflow
from keras import layers, ops

import peer

MODES = ("graph", "compiled")


class Builder:
    def __init__(self, options):
        self.name = options.activation.removeprefix("lk-")
        self.linked = options.activation.startswith("lk-")
        self.batch_norm = options.batch_norm

    def apply(self, stack, x):
        for layer in stack: x = self.layer(x, *layer)
        return x

    def layer(self, x, kind, *numbers):
        match kind:
            case "conv":
                filters, kernel, stride, padding = numbers
                return self.norm(layers.Conv2D(filters, kernel, stride, padding)(x))
            case "norm": return self.norm(x)
            case "activation": return self.activation(x, self.linked)
            case "base activation": return self.activation(x, False)
            case "dropout": return layers.Dropout(*numbers)(x)
            case "max pool": return layers.MaxPooling2D(2)(x)
            case "global average pool": return layers.GlobalAveragePooling2D()(x)
            case "flatten": return layers.Flatten()(x)
            case "dense": return layers.Dense(*numbers)(x)
            case "bottleneck":
                inner, outer, stride, projects = numbers
                shortcut = self.apply([("conv", outer, 1, stride, "same")], x) if projects else x
                return layers.add([self.apply(peer.bottleneck_body(inner, outer, stride), x), shortcut])

    def norm(self, x):
        if not self.batch_norm: return x
        return layers.BatchNormalization(momentum=peer.BATCH_NORM_MOMENTUM, epsilon=peer.BATCH_NORM_EPSILON)(x)

    def activation(self, z, linked):
        def member(z):
            return layers.PReLU()(z) if self.name == "prelu" else layers.Activation(self.name)(z)

        return ops.concatenate([member(z), member(-z)], axis=-1) if linked else member(z)


def optimizer(kind, rate, decay):
    schedule = keras.optimizers.schedules.InverseTimeDecay(rate, decay_steps=1, decay_rate=decay)
    match kind:
        case "sgd": return keras.optimizers.SGD(schedule)
        case "sgd with nesterov momentum": return keras.optimizers.SGD(schedule, momentum=0.9, nesterov=True)
        case "adam": return keras.optimizers.Adam(schedule, epsilon=1e-8)
        case "rmsprop": return keras.optimizers.RMSprop(schedule, rho=0.9, epsilon=1e-8)


def main():
    options = peer.arguments(__doc__, MODES)
    tensorflow.config.threading.set_intra_op_parallelism_threads(options.threads)
    keras.utils.set_random_seed(100)
    images = keras.Input((32, 32, 3), batch_size=options.batch_size)
    logits = Builder(options).apply(peer.NETWORKS[options.model](), images)
    model = keras.Model(images, logits)
    model.compile(
        optimizer(*peer.OPTIMIZERS[options.model]), keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=options.mode == "compiled")
    pixels = tensorflow.random.uniform((options.batch_size, 32, 32, 3))
    labels = tensorflow.random.uniform((options.batch_size,), 0, peer.CLASSES, tensorflow.int32)
    peer.report(
        f"Keras {keras.__version__}, TensorFlow {tensorflow.__version__}", options,
        lambda: model.train_on_batch(pixels, labels))


main()
