import Foundation

@testable import LinkedNet

/// One axis of a window on an image.
private struct Axis {
    let size, window, stride, outputs, before: Int

    private init(size: Int, window: Int, stride: Int, padding: Padding, explicit: (before: Int, after: Int)?) {
        self.size = size
        self.window = window
        self.stride = stride
        switch padding {
        case .valid:
            outputs = (size - window + stride) / stride
            before = 0
        case .same, .sameLower:
            outputs = (size + stride - 1) / stride
            let zeros = max((outputs - 1) * stride + window - size, 0)
            before = padding == .same ? zeros / 2 : zeros - zeros / 2
        case .explicit:
            let (zerosBefore, zerosAfter) = explicit ?? (0, 0)
            outputs = (size + zerosBefore + zerosAfter - window + stride) / stride
            before = zerosBefore
        }
    }

    /// The rows and the columns of a window on an image.
    static func both(_ image: [Int], _ window: Window2D) -> (rows: Axis, columns: Axis) {
        var vertical: (Int, Int)?, horizontal: (Int, Int)?
        if case .explicit(let top, let left, let bottom, let right) = window.padding {
            (vertical, horizontal) = ((top, bottom), (left, right))
        }
        return (
            Axis(
                size: image[0], window: window.height, stride: window.strideHeight, padding: window.padding,
                explicit: vertical),
            Axis(
                size: image[1], window: window.width, stride: window.strideWidth, padding: window.padding,
                explicit: horizontal)
        )
    }

    /// The position in the image of element `offset` of window `output`; `nil` for padding.
    func position(_ output: Int, _ offset: Int) -> Int? {
        let position = output * stride + offset - before
        return position >= 0 && position < size ? position : nil
    }
}

/// `kernel` is [window height][window width][channels][filters].
func convolution(
    _ x: ReferenceTensor, kernel: [Double], bias: [Double]?, filters: Int, window: Window2D
) -> ReferenceTensor {
    let (rows, columns) = Axis.both(x.shape, window)
    let channels = x.channels
    var y = ReferenceTensor(batch: x.batch, shape: [rows.outputs, columns.outputs, filters])
    y.elements.withUnsafeMutableBufferPointer { y in
        x.elements.withUnsafeBufferPointer { x in
            kernel.withUnsafeBufferPointer { kernel in
                for pixel in 0..<y.count / filters {
                    let (column, row) = (pixel % columns.outputs, pixel / columns.outputs % rows.outputs)
                    let sample = pixel / columns.outputs / rows.outputs
                    let out = UnsafeMutableBufferPointer(rebasing: y[pixel * filters..<(pixel + 1) * filters])
                    if let bias { for filter in 0..<filters { out[filter] = bias[filter] } }
                    for offsetY in 0..<window.height {
                        guard let inRow = rows.position(row, offsetY) else { continue }
                        for offsetX in 0..<window.width {
                            guard let inColumn = columns.position(column, offsetX) else { continue }
                            let source = ((sample * rows.size + inRow) * columns.size + inColumn) * channels
                            let tap = (offsetY * window.width + offsetX) * channels
                            for channel in 0..<channels {
                                let value = x[source + channel]
                                let weights = (tap + channel) * filters
                                for filter in 0..<filters { out[filter] += value * kernel[weights + filter] }
                            }
                        }
                    }
                }
            }
        }
    }
    return y
}

/// Batch normalisation with the batch's own statistics.
func normalized(_ x: ReferenceTensor, gamma: [Double], beta: [Double], epsilon: Double) -> ReferenceTensor {
    var y = x
    let channels = x.channels
    for channel in 0..<channels {
        let indices = stride(from: channel, to: x.elements.count, by: channels)
        let mean = indices.reduce(0) { $0 + x.elements[$1] } / Double(x.rows)
        let variance = indices.reduce(0) { $0 + (x.elements[$1] - mean) * (x.elements[$1] - mean) } / Double(x.rows)
        let factor = gamma[channel] / (variance + epsilon).squareRoot()
        for index in indices { y.elements[index] = (x.elements[index] - mean) * factor + beta[channel] }
    }
    return y
}

func concatenated(_ parts: [ReferenceTensor]) -> ReferenceTensor {
    let channels = parts.reduce(0) { $0 + $1.channels }
    let rows = parts[0].rows
    var result = ReferenceTensor(batch: parts[0].batch, shape: parts[0].shape.dropLast() + [channels])
    var offset = 0
    for part in parts {
        for row in 0..<rows {
            for channel in 0..<part.channels {
                result.elements[row * channels + offset + channel] = part.elements[row * part.channels + channel]
            }
        }
        offset += part.channels
    }
    return result
}

extension ReferencePass {
    /// The members side by side as channels. Slopes of PReLU are [members with slopes][positions or 1][channels].
    mutating func activated(_ z: ReferenceTensor, _ members: [Linkage.Member]) throws -> ReferenceTensor {
        var parts: [ReferenceTensor] = []
        var slopeOffset = 0
        for member in members {
            guard case .builtIn(let function, let sharing) = member.function.kind else {
                throw ReferenceError(description: "the reference has no \(member.function.name)")
            }
            var slopes: [Double] = []
            if function == .prelu {
                let count = sharing == .perChannel ? z.channels : z.sampleSize
                slopes = Array(try weight("slopes")[slopeOffset..<slopeOffset + count])
                slopeOffset += count
            }
            var part = z
            for (index, value) in z.elements.enumerated() {
                let argument = Double(member.inputScale) * value
                let slope = slopes.isEmpty ? 0 : slopes[index % slopes.count]
                if function != .swish && function != .identity { decide(argument > 0 ? 1 : 0) }
                part.elements[index] = Double(member.outputScale) * referenceValue(function, argument, slope: slope)
            }
            parts.append(part)
        }
        return concatenated(parts)
    }

    /// The largest element or the mean of each window's part within the image.
    mutating func pooled(_ x: ReferenceTensor, _ window: Window2D, maximum: Bool) -> ReferenceTensor {
        let (rows, columns) = Axis.both(x.shape, window)
        let channels = x.channels
        var y = ReferenceTensor(batch: x.batch, shape: [rows.outputs, columns.outputs, channels])
        for index in y.elements.indices {
            let (channel, pixel) = (index % channels, index / channels)
            let (column, row) = (pixel % columns.outputs, pixel / columns.outputs % rows.outputs)
            let sample = pixel / columns.outputs / rows.outputs
            var values: [Double] = []
            for offsetY in 0..<window.height {
                for offsetX in 0..<window.width {
                    guard let inRow = rows.position(row, offsetY), let inColumn = columns.position(column, offsetX)
                    else { continue }
                    values.append(
                        x.elements[((sample * rows.size + inRow) * columns.size + inColumn) * channels + channel])
                }
            }
            if maximum {
                let largest = values.max() ?? .nan
                decide(values.firstIndex(of: largest) ?? 0)
                y.elements[index] = largest
            } else {
                y.elements[index] = values.reduce(0, +) / Double(values.count)
            }
        }
        return y
    }
}

/// g(z) in double precision.
private func referenceValue(_ function: ScalarFunction, _ z: Double, slope: Double) -> Double {
    switch function {
    case .identity: z
    case .relu: max(z, 0)
    case .leakyReLU(let slope): z > 0 ? z : Double(slope) * z
    case .prelu: z > 0 ? z : slope * z
    case .elu(let alpha): z > 0 ? z : Double(alpha) * expm1(z)
    case .selu: 1.0507009873554805 * (z > 0 ? z : 1.6732632423543772 * expm1(z))
    case .swish: z / (1 + exp(-z))
    }
}
