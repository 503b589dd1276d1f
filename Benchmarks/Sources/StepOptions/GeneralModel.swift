import LinkedNet

/// Networks that people train and that are not of the paper.
public enum GeneralModel: String, CaseIterable, Sendable {
    /// ResNet-18 (He et al. 2016) for images of 32×32: a 3×3 convolution in front, no pooling.
    case resNet18 = "resnet18-cifar"
    /// ResNet-18 for images of 224×224.
    case resNet18OfPhotos = "resnet18-224"
    /// VGG16 with BatchNorm, one dense layer behind it.
    case vgg16 = "vgg16bn-cifar"
    /// WideResNet-16-4 (Zagoruyko and Komodakis 2016).
    case wideResNet = "wrn16-4"
    /// The network of Keras' example for MNIST.
    case kerasMNIST = "keras-mnist"
    /// LeNet-5 with ReLU and maximum pooling.
    case leNet = "lenet"
    /// Two hidden layers of 512 units.
    case perceptron = "mlp"
    /// The network of airbench94 (Jordan 2024, arXiv:2404.00498), without its frozen first filters.
    case airbench

    /// The shape of an image.
    public var input: Shape {
        switch self {
        case .resNet18OfPhotos: [224, 224, 3]
        case .kerasMNIST, .leNet, .perceptron: [28, 28, 1]
        default: [32, 32, 3]
        }
    }

    /// The layers.
    public func model() -> Sequential {
        switch self {
        case .resNet18, .resNet18OfPhotos: resNet18(classes: self == .resNet18 ? 10 : 1000)
        case .vgg16: vgg16()
        case .wideResNet: wideResNet()
        case .airbench: airbench()
        case .kerasMNIST:
            Sequential {
                Conv2D(32, kernel: 3)
                Activation(.relu)
                MaxPool2D(2)
                Conv2D(64, kernel: 3)
                Activation(.relu)
                MaxPool2D(2)
                Flatten()
                Dropout(0.5)
                Dense(10)
            }
        case .leNet:
            Sequential {
                Conv2D(6, kernel: 5, padding: .same)
                Activation(.relu)
                MaxPool2D(2)
                Conv2D(16, kernel: 5)
                Activation(.relu)
                MaxPool2D(2)
                Flatten()
                Dense(120)
                Activation(.relu)
                Dense(84)
                Activation(.relu)
                Dense(10)
            }
        case .perceptron:
            Sequential {
                Flatten()
                Dense(512)
                Activation(.relu)
                Dense(512)
                Activation(.relu)
                Dense(10)
            }
        }
    }

    private func resNet18(classes: Int) -> Sequential {
        Sequential {
            if self == .resNet18 {
                normalized(Conv2D(64, kernel: 3, padding: .same, usesBias: false))
            } else {
                normalized(Conv2D(64, kernel: 7, stride: 2, padding: .same, usesBias: false))
                MaxPool2D(3, stride: 2, padding: .same)
            }
            for (filters, stride) in [(64, 1), (128, 2), (256, 2), (512, 2)] {
                basicBlock(filters, stride: stride)
                basicBlock(filters, stride: 1)
            }
            GlobalAveragePool2D()
            Dense(classes)
        }
    }

    @LayerBuilder private func normalized(_ convolution: Conv2D) -> [any Layer] {
        convolution
        BatchNorm()
        Activation(.relu)
    }

    @LayerBuilder private func basicBlock(_ filters: Int, stride: Int) -> [any Layer] {
        let body = {
            Sequential {
                normalized(Conv2D(filters, kernel: 3, stride: stride, padding: .same, usesBias: false))
                Conv2D(filters, kernel: 3, padding: .same, usesBias: false)
                BatchNorm()
            }
        }
        if stride == 1 {
            Residual { body() }
        } else {
            Residual {
                body()
            } projection: {
                Conv2D(filters, kernel: 1, stride: stride, padding: .same, usesBias: false)
                BatchNorm()
            }
        }
        Activation(.relu)
    }

    private func vgg16() -> Sequential {
        Sequential {
            for (filters, depth) in [(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)] {
                for _ in 0..<depth { normalized(Conv2D(filters, kernel: 3, padding: .same)) }
                MaxPool2D(2)
            }
            Flatten()
            Dense(10)
        }
    }

    private func wideResNet() -> Sequential {
        Sequential {
            Conv2D(16, kernel: 3, padding: .same, usesBias: false)
            for (filters, stride) in [(64, 1), (128, 2), (256, 2)] {
                wideBlock(filters, stride: stride, isFirst: true)
                wideBlock(filters, stride: 1, isFirst: false)
            }
            BatchNorm()
            Activation(.relu)
            GlobalAveragePool2D()
            Dense(10)
        }
    }

    @LayerBuilder private func wideBlock(_ filters: Int, stride: Int, isFirst: Bool) -> [any Layer] {
        let body = {
            Sequential {
                normalized(Conv2D(filters, kernel: 3, stride: stride, padding: .same, usesBias: false))
                Conv2D(filters, kernel: 3, padding: .same, usesBias: false)
            }
        }
        BatchNorm()
        Activation(.relu)
        if isFirst {
            Residual {
                body()
            } projection: {
                Conv2D(filters, kernel: 1, stride: stride, padding: .same, usesBias: false)
            }
        } else {
            Residual { body() }
        }
    }

    private func airbench() -> Sequential {
        Sequential {
            Conv2D(24, kernel: 2)
            Activation(.swish)
            for filters in [64, 256, 256] {
                Conv2D(filters, kernel: 3, padding: .same, usesBias: false)
                MaxPool2D(2)
                BatchNorm(momentum: 0.6, epsilon: 1e-12)
                Activation(.swish)
                Conv2D(filters, kernel: 3, padding: .same, usesBias: false)
                BatchNorm(momentum: 0.6, epsilon: 1e-12)
                Activation(.swish)
            }
            MaxPool2D(3)
            Flatten()
            Dense(10, usesBias: false)
        }
    }
}
