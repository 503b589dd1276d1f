/// A batch of samples in double precision, row-major, batch outermost.
struct ReferenceTensor {
    var batch: Int
    /// The shape of one sample.
    var shape: [Int]
    var elements: [Double]

    init(batch: Int, shape: [Int], elements: [Double]? = nil) {
        self.batch = batch
        self.shape = shape
        self.elements = elements ?? Array(repeating: 0, count: batch * shape.reduce(1, *))
    }

    var channels: Int { shape[shape.count - 1] }
    /// The number of elements of one sample.
    var sampleSize: Int { shape.reduce(1, *) }
    /// The number of rows: batch and positions together.
    var rows: Int { elements.count / channels }
}
