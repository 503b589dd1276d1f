import LinkedNet
import Testing

/// Values with several readers: the network has to add up gradients and slopes' gradients of all readers.
@Suite struct BranchGradientTests {
    private func expectGradients(seed: UInt64, @LayerBuilder _ layers: () throws -> [any Layer]) throws {
        var check = try GradientCheck(try layers(), input: [6, 5, 3], batch: 3, seed: seed)
        try check.run()
    }

    /// Two convolutions fuse the activation. The activation is stored for the pooling and the addition.
    @Test(arguments: [SlopeSharing.perChannel, .perPosition])
    func slopesWithFourReaders(sharing: SlopeSharing) throws {
        try expectGradients(seed: 31) {
            Conv2D(3, kernel: 3)
            LinkedActivation(.mirrored(.prelu(sharing)))
            Concat {
                Conv2D(2, kernel: 1)
                Conv2D(4, kernel: 3, padding: .same)
                MaxPool2D(3, stride: 1, padding: .same)
                Residual { Conv2D(6, kernel: 3, padding: .same) }
            }
            Flatten()
            Dense(5)
        }
    }

    /// Convolutions, poolings, a normalisation and additions read the input, plain and with a pending activation.
    @Test func anInputReadByManyBranches() throws {
        try expectGradients(seed: 32) {
            Concat {
                Conv2D(2, kernel: 3, padding: .same)
                Activation(.swish)
                AveragePool2D(3, stride: 1, padding: .same)
                MaxPool2D(2, stride: 1, padding: .same)
                BatchNorm()
                Residual {
                    BatchNorm()
                    Activation(.selu)
                    Conv2D(3, kernel: 1)
                }
                Residual {}
            }
            LinkedActivation(.mirrored(.elu()))
            Flatten()
            Dense(5)
        }
    }

    @Test func nestedResiduals() throws {
        try expectGradients(seed: 33) {
            Residual {
                Activation(.swish)
                Residual {
                    Conv2D(3, kernel: 3, padding: .same)
                    Activation(.leakyReLU())
                    Residual {
                        Conv2D(3, kernel: 3, padding: .same)
                    } projection: {
                        Conv2D(3, kernel: 1)
                    }
                }
            }
            Activation(.prelu())
            GlobalAveragePool2D()
            Dense(4)
        }
    }

    /// An activation of an activation, and an activation that is read flat and as an image.
    @Test func activationsInARow() throws {
        try expectGradients(seed: 34) {
            Conv2D(2, kernel: 3)
            LinkedActivation(.mirrored(.swish))
            LinkedActivation(.mirrored(.selu))
            Dropout(0.3)
            Activation(.prelu(.perChannel))
            Flatten()
            Activation(.prelu())
            Dense(6)
            LinkedActivation(.mirrored(.prelu(.perChannel)))
            Dense(4)
        }
    }
}
