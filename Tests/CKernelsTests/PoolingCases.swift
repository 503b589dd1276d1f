import CKernels

/// A pooling of a random shape whose windows all touch the image.
func randomPooling(_ generator: inout Generator, channels: Int) -> ck_pooling {
    while true {
        var pooling = ck_pooling()
        pooling.batch = Int64(generator.integer(1...3))
        pooling.height = Int64(generator.integer(1...9))
        pooling.width = Int64(generator.integer(1...9))
        pooling.channels = Int64(channels)
        pooling.window_h = Int64(generator.integer(1...5))
        pooling.window_w = Int64(generator.integer(1...5))
        pooling.stride_h = Int64(generator.integer(1...3))
        pooling.stride_w = Int64(generator.integer(1...3))
        pooling.pad_top = Int64(generator.integer(0...2))
        pooling.pad_left = Int64(generator.integer(0...2))
        // The last window may start anywhere in the image and reach past the image's end.
        pooling.out_height =
            (pooling.height - 1 + pooling.pad_top) / pooling.stride_h + 1 - Int64(generator.integer(0...1))
        pooling.out_width =
            (pooling.width - 1 + pooling.pad_left) / pooling.stride_w + 1 - Int64(generator.integer(0...1))
        pooling.pad_bottom = Int64(generator.integer(0...2))
        pooling.pad_right = Int64(generator.integer(0...2))
        pooling.counts_padding = generator.integer(0...1) == 1
        if ck_pooling_check(&pooling, nil) == nil { return pooling }
    }
}

extension ck_pooling {
    /// A pooling whose means don't count the padding.
    init(
        batch: Int64, height: Int64, width: Int64, channels: Int64, out_height: Int64, out_width: Int64,
        window_h: Int64, window_w: Int64, stride_h: Int64, stride_w: Int64, pad_top: Int64, pad_left: Int64
    ) {
        self.init(
            batch: batch, height: height, width: width, channels: channels, out_height: out_height,
            out_width: out_width, window_h: window_h, window_w: window_w, stride_h: stride_h, stride_w: stride_w,
            pad_top: pad_top, pad_left: pad_left, pad_bottom: 0, pad_right: 0, counts_padding: false)
    }

    /// The positions that the mean at an index of the output divides by, of which `inside` lie in the image.
    func meanCount(at output: Int, inside: Int) -> Int {
        guard counts_padding else { return inside }
        let pixel = Int64(output) / channels
        let row = pixel / out_width % out_height * stride_h - pad_top, column = pixel % out_width * stride_w - pad_left
        let rows = (row..<row + window_h).filter { $0 < height + pad_bottom }
        let columns = (column..<column + window_w).filter { $0 < width + pad_right }
        return rows.count * columns.count
    }

    var inputCount: Int { Int(batch * height * width * channels) }
    var outputCount: Int { Int(batch * out_height * out_width * channels) }

    /// Calls `body` for every output with its place, and for each position of its window in the image the position's
    /// index in the window and its place in the input.
    func forEachWindow(_ body: (_ output: Int, _ window: [(index: Int, input: Int)]) -> Void) {
        let (height, width, channels) = (Int(height), Int(width), Int(channels))
        var window: [(index: Int, input: Int)] = []
        for b in 0..<Int(batch) {
            for outY in 0..<Int(out_height) {
                for outX in 0..<Int(out_width) {
                    window.removeAll(keepingCapacity: true)
                    for windowY in 0..<Int(window_h) {
                        let y = outY * Int(stride_h) - Int(pad_top) + windowY
                        if y < 0 || y >= height { continue }
                        for windowX in 0..<Int(window_w) {
                            let x = outX * Int(stride_w) - Int(pad_left) + windowX
                            if x < 0 || x >= width { continue }
                            window.append(
                                (windowY * Int(window_w) + windowX, ((b * height + y) * width + x) * channels))
                        }
                    }
                    let output = ((b * Int(out_height) + outY) * Int(out_width) + outX) * channels
                    for channel in 0..<channels {
                        body(output + channel, window.map { ($0.index, $0.input + channel) })
                    }
                }
            }
        }
    }
}

/// Bytes with a guard behind them.
final class Bytes {
    let pointer: UnsafeMutablePointer<UInt8>
    let count: Int
    init(_ count: Int) {
        self.count = count
        pointer = .allocate(capacity: count + 64)
        pointer.initialize(repeating: 0xEE, count: count + 64)
    }
    deinit { pointer.deallocate() }
    var values: [UInt8] { Array(UnsafeBufferPointer(start: pointer, count: count)) }
    var guardIntact: Bool { (count..<(count + 64)).allSatisfy { pointer[$0] == 0xEE } }
}
