"""Writes keras.safetensors: the results of Keras for the models of GoldenModels.swift.

Keras runs on TensorFlow, in double precision.

    python3 generate_keras.py
"""

import os

os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
os.environ["KERAS_BACKEND"] = "tensorflow"

import pathlib

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from golden import Golden, initial_weight, numbers

keras.config.set_floatx("float64")
golden = Golden()


def case(name, batch, image, build, names=(), states=()):
    """One training step of the model `build` makes.

    `names` and `states` are the library's names of the model's trainable and other variables, in Keras' order; names
    that end in [i] are parts of one variable.
    """
    source = keras.Input(image)
    model = keras.Model(source, build(source))
    assert len(names) == len(model.trainable_variables), (name, [v.path for v in model.trainable_variables])
    assert len(states) == len(model.non_trainable_variables), name
    for key, variable in zip(names, model.trainable_variables):
        variable.assign(initial_weight(name, key, tuple(variable.shape)))
    value = tf.constant(initial_weight(name, "input/value", (batch, *image)))
    with tf.GradientTape() as tape:
        tape.watch(value)
        output = model(value, training=True)
        output_gradient = numbers(name, "outputGradient", tuple(output.shape))
        score = tf.reduce_sum(output * output_gradient)
    variables = [value] + [variable.value for variable in model.trainable_variables]
    gradients = tape.gradient(score, variables)
    all_names = ["input/value", *names]
    golden.add_all(name, "weight", {k: in_library_shape(k, v.numpy()) for k, v in zip(all_names, variables)})
    golden.add_all(name, "gradient", {k: in_library_shape(k, g.numpy()) for k, g in zip(all_names, gradients)})
    golden.add(name, "output", "", output)
    golden.add(name, "outputGradient", "", output_gradient)
    if states:
        golden.add_all(name, "state", {k: v.numpy() for k, v in zip(states, model.non_trainable_variables)})
        golden.add(name, "inference", "", model(value, training=False))


def in_library_shape(name, array):
    """Slopes shared by all positions have shape 1×1×channels in Keras and channels here."""
    return array.reshape(-1) if "slopes" in name and array.shape[:2] == (1, 1) else array


def weights(prefix, bias=True):
    return (f"{prefix}/kernel", f"{prefix}/bias") if bias else (f"{prefix}/kernel",)


def convolution_cases():
    for name, (image, filters, window, stride, padding, has_bias) in {
        "conv 1x1 same": ((5, 4, 3), 4, (1, 1), 1, "same", True),
        "conv 1x1 valid stride 2": ((5, 6, 3), 4, (1, 1), 2, "valid", True),
        "conv 2x2 same": ((5, 4, 3), 4, (2, 2), 1, "same", True),
        "conv 3x3 same": ((5, 4, 3), 4, (3, 3), 1, "same", True),
        "conv 3x3 same without bias": ((5, 4, 3), 4, (3, 3), 1, "same", False),
        "conv 3x3 valid": ((5, 6, 3), 4, (3, 3), 1, "valid", True),
        "conv 3x3 same stride 2": ((5, 6, 3), 4, (3, 3), 2, "same", True),
        "conv 3x3 valid stride 2": ((7, 6, 3), 4, (3, 3), 2, "valid", True),
        "conv 5x5 of 1 channel": ((7, 7, 1), 3, (5, 5), 1, "same", True),
        "conv 7x7 same stride 2": ((9, 8, 3), 4, (7, 7), 2, "same", True),
        "conv 7x7 valid": ((9, 8, 3), 4, (7, 7), 1, "valid", True),
        "conv 7x7 same beyond the image": ((5, 4, 2), 3, (7, 7), 1, "same", True),
    }.items():
        layer = layers.Conv2D(filters, window, strides=stride, padding=padding, use_bias=has_bias)
        case(name, 2, image, layer, weights("conv2d", has_bias))


def dense_cases():
    case("dense", 3, (7,), layers.Dense(5), weights("dense"))
    case("dense without bias", 3, (7,), layers.Dense(5, use_bias=False), weights("dense", bias=False))
    case("flatten", 2, (3, 4, 2), lambda x: layers.Dense(3)(layers.Flatten()(x)), weights("dense"))


def batch_norm_cases():
    for name, batch, image in (("batch norm", 3, (4, 5, 3)), ("batch norm of a vector", 6, (4,))):
        case(
            name, batch, image, layers.BatchNormalization(), ("batch_norm/gamma", "batch_norm/beta"),
            ("batch_norm/moving_mean", "batch_norm/moving_variance"))


def pooling_cases():
    image = (5, 6, 3)
    for name, (window, stride, padding) in {
        "2 valid": (2, 2, "valid"),
        "3 valid stride 2": (3, 2, "valid"),
        "2 same": (2, 2, "same"),
        "3 same stride 1": (3, 1, "same"),
        "3 same stride 2": (3, 2, "same"),
    }.items():
        case(f"max pool {name}", 2, image, layers.MaxPooling2D(window, stride, padding))
        case(f"average pool {name}", 2, image, layers.AveragePooling2D(window, stride, padding))
    case("global average pool", 2, image, layers.GlobalAveragePooling2D())


FUNCTIONS = {
    "identity": lambda: layers.Activation("linear"),
    "relu": lambda: layers.ReLU(),
    "leaky relu": lambda: layers.LeakyReLU(),
    "elu": lambda: layers.ELU(),
    "elu 0.7": lambda: layers.ELU(0.7),
    "selu": lambda: layers.Activation("selu"),
    "swish": lambda: layers.Activation("swish"),
    "prelu per channel": lambda: layers.PReLU(shared_axes=[1, 2]),
    "prelu per position": lambda: layers.PReLU(),
}

CONSUMERS = {
    "alone": (lambda a: a, ()),
    "before conv": (lambda a: layers.Conv2D(4, 3, padding="same")(a), weights("conv2d")),
    "before strided conv": (lambda a: layers.Conv2D(4, 1, strides=2)(a), weights("conv2d")),
    "before dense": (lambda a: layers.Dense(4)(layers.Flatten()(a)), weights("dense")),
    "before pooling": (lambda a: layers.MaxPooling2D(2)(a), ()),
}


def activation_cases():
    for consumer, (consume, names) in CONSUMERS.items():
        for function_name, function in FUNCTIONS.items():
            learned = function_name.startswith("prelu")
            plain = ("activation/slopes",) if learned else ()
            linked = ("linked_activation/slopes[0]", "linked_activation/slopes[1]") if learned else ()
            case(f"{function_name} {consumer}", 2, (5, 4, 3), lambda z: consume(function()(z)), plain + names)
            case(
                f"linked {function_name} {consumer}", 2, (5, 4, 3),
                lambda z: consume(layers.Concatenate()([function()(z), function()(-z)])), linked + names)


def branch_cases():
    # Layers are called in the order in which the library names them, which is the order of Keras' variables.
    def body(x):
        inner = layers.Activation("relu")(layers.Conv2D(4, 3, padding="same")(x))
        return layers.Conv2D(3, 3, padding="same")(inner)

    two = weights("residual/conv2d") + weights("residual/conv2d_1")
    case("residual", 2, (5, 4, 3), lambda x: layers.Add()([x, body(x)]), two)

    def after_swish(z):
        x = layers.Activation("swish")(z)
        return layers.Add()([x, body(x)])

    case("residual after swish", 2, (5, 4, 3), after_swish, two)

    def branches(x):
        deep = layers.Activation("swish")(layers.Conv2D(5, 3, padding="same")(x))
        pooled = layers.MaxPooling2D(3, 1, "same")(x)
        return layers.Concatenate()([layers.Conv2D(2, 1)(x), deep, pooled])

    case("concat", 2, (5, 4, 3), branches, weights("concat/conv2d_1") + weights("concat/conv2d"))


def loss_case():
    logits = tf.constant(numbers("loss", "logits", (6, 10), 5.0))
    labels = tf.constant([3, 0, 9, 5, 5, 1])
    with tf.GradientTape() as tape:
        tape.watch(logits)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)(labels, logits)
    for kind, value in {
        "logits": logits, "labels": labels, "loss": loss, "gradient": tape.gradient(loss, logits),
        "probabilities": keras.ops.softmax(logits),
    }.items():
        golden.add("softmax cross-entropy", kind, "", value)


def optimizer_cases():
    gradients = numbers("optimizer", "gradients", (20, 13))
    golden.add("optimizer", "gradients", "", gradients)
    golden.add("optimizer", "start", "", numbers("optimizer", "start", (13,)))

    def decayed(rate):
        """Keras' old `decay=0.1`: rate / (1 + 0.1·t)."""
        return keras.optimizers.schedules.InverseTimeDecay(rate, decay_steps=1, decay_rate=0.1)

    optim = keras.optimizers
    # Keras rounds betas to single precision in the bias corrections only. These betas are already rounded.
    betas = {"beta_1": float(np.float32(0.9)), "beta_2": float(np.float32(0.999))}
    for name, optimizer in {
        "sgd": optim.SGD(0.1),
        "sgd decay": optim.SGD(decayed(0.1)),
        "sgd momentum": optim.SGD(0.1, momentum=0.9),
        "sgd nesterov": optim.SGD(0.1, momentum=0.9, nesterov=True),
        "sgd nesterov decay": optim.SGD(decayed(0.1), momentum=0.9, nesterov=True),
        "adam": optim.Adam(0.05, epsilon=1e-8, **betas),
        "adam large epsilon": optim.Adam(0.05, beta_1=0.8, beta_2=0.95, epsilon=0.1),
        "adam decay": optim.Adam(decayed(0.05), epsilon=1e-8, **betas),
        # Keras has √(v + ε) where the library and PyTorch have √v + ε. With so small an ε both are √v.
        "rmsprop": optim.RMSprop(0.05, rho=0.9, epsilon=1e-15),
        "rmsprop decay": optim.RMSprop(decayed(0.05), rho=0.9, epsilon=1e-15),
    }.items():
        parameter = keras.Variable(numbers("optimizer", "start", (13,)), dtype="float64")
        path = []
        for gradient in gradients:
            optimizer.apply([tf.constant(gradient)], [parameter])
            path.append(parameter.numpy())
        golden.add("optimizer", "path", name, np.stack(path))


def initializer_case():
    """Standard deviations of a million weights of a 3×3 convolution from 50 to 2222 channels."""
    keras.utils.set_random_seed(1)
    shape = (3, 3, 50, 2222)
    for name in ("glorot_uniform", "glorot_normal", "he_uniform", "he_normal", "lecun_uniform", "lecun_normal"):
        sample = keras.initializers.get(name)(shape).numpy()
        golden.add("initializer", "deviation", name, sample.std())
        golden.add("initializer", "largest", name, np.abs(sample).max())


convolution_cases()
dense_cases()
batch_norm_cases()
pooling_cases()
activation_cases()
branch_cases()
loss_case()
optimizer_cases()
initializer_case()
golden.save(pathlib.Path(__file__).parent / "keras.safetensors")
