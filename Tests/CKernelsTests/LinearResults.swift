import CKernels
import Testing

/// The kernels' results for a convolution, or for the equal dense layer, in guarded buffers and with poisoned scratch.
struct LinearResults {
    let y, dz, dzAccumulated, dslopes, dweights, dbias: Buffer
    let guardsIntact: Bool

    init(_ r: ReferenceConvolution) {
        y = Buffer(r.dy.count)
        dz = Buffer(r.z.count)
        dzAccumulated = r.dzBefore.copy()
        dslopes = Buffer(r.slopes.count)
        dweights = Buffer(r.weights.count)
        dbias = Buffer(r.bias.count)
        let slopes = r.slopes.count > 0 ? r.slopes.pointer : nil
        let slopeGradients = r.slopes.count > 0 ? dslopes.pointer : nil
        var scratches: [Buffer] = []
        func scratch(_ bytes: Int) -> UnsafeMutablePointer<Float> {
            scratches.append(Buffer(scratchBytes: bytes))
            return scratches.last!.pointer
        }
        if var shape = r.dense {
            ck_dense_forward(
                &shape, r.z.pointer, slopes, r.weights.pointer, r.bias.pointer, y.pointer,
                scratch(ck_dense_scratch(&shape, CK_FORWARD)))
            let backward = ck_dense_scratch(&shape, CK_BACKWARD)
            ck_dense_backward(
                &shape, r.z.pointer, slopes, r.weights.pointer, r.dy.pointer, dz.pointer, false, slopeGradients,
                dweights.pointer, dbias.pointer, scratch(backward))
            ck_dense_backward(
                &shape, r.z.pointer, slopes, r.weights.pointer, r.dy.pointer, dzAccumulated.pointer, true, nil, nil,
                nil,
                scratch(backward))
        } else {
            var shape = r.shape
            ck_convolution_forward(
                &shape, r.z.pointer, slopes, r.weights.pointer, r.bias.pointer, y.pointer,
                scratch(ck_convolution_scratch(&shape, CK_FORWARD)))
            let backward = ck_convolution_scratch(&shape, CK_BACKWARD)
            ck_convolution_backward(
                &shape, r.z.pointer, slopes, r.weights.pointer, r.dy.pointer, dz.pointer, false, slopeGradients,
                dweights.pointer, dbias.pointer, scratch(backward))
            ck_convolution_backward(
                &shape, r.z.pointer, slopes, r.weights.pointer, r.dy.pointer, dzAccumulated.pointer, true, nil, nil,
                nil,
                scratch(backward))
        }
        let outputs = [y, dz, dzAccumulated, dslopes, dweights, dbias]
        guardsIntact = (scratches + outputs + [r.z, r.slopes, r.weights, r.bias, r.dy]).allSatisfy(\.guardsIntact)
    }

    private var named: [(String, Buffer)] {
        [
            ("y", y), ("dz", dz), ("accumulated dz", dzAccumulated), ("dslopes", dslopes), ("dweights", dweights),
            ("dbias", dbias),
        ]
    }

    var all: [Buffer] { named.map(\.1) }

    /// The first result beyond its bound, or nil.
    func error(_ r: ReferenceConvolution) -> String? {
        if !guardsIntact { return "something was written outside its buffer" }
        let accumulated = zip(r.dz, r.dzBefore.values).map { $0 + Double($1) }
        return firstError(y, r.y, bound: { r.yBound[$0] }, "y")
            ?? firstError(dz, r.dz, bound: { r.dzBound[$0] }, "dz")
            ?? firstError(dzAccumulated, accumulated, bound: { r.dzBound[$0] }, "accumulated dz")
            ?? firstError(dslopes, r.dslopes, bound: { r.dslopesBound[$0] }, "dslopes")
            ?? firstError(dweights, r.dweights, bound: { r.dweightsBound[$0] }, "dweights")
            ?? firstError(dbias, r.dbias, bound: { r.dbiasBound[$0] }, "dbias")
    }

    /// The results of random inputs that `change` spoils.
    static func spoiled(
        _ shape: ck_convolution, _ activation: ActivationCase, isa: ck_isa, _ change: (ReferenceConvolution) -> Void
    ) -> LinearResults {
        let inputs = ReferenceConvolution(
            shape: shape, activation: activation, integers: false, misaligned: false, seed: 9)
        change(inputs)
        return with(isa: isa) { LinearResults(inputs) }
    }

    /// The first difference of bits, or nil.
    func difference(_ other: LinearResults) -> String? {
        zip(named, other.named).lazy.compactMap { firstDifference($0.1, $1.1, $0.0) }.first
    }

    /// Expects every pass on every instruction set to be within its bound (exact for integers), and to give the same
    /// bits for any number of threads.
    static func verify(_ reference: ReferenceConvolution, threadCounts: [Int32] = threadCounts) {
        for isa in availableISAs {
            let results = with(isa: isa) { LinearResults(reference) }
            let name = "\(String(cString: ck_isa_name(isa))), \(reference.activation), \(reference.shape)"
            #expect(results.error(reference) == nil, "\(name)")
            for threads in threadCounts where threads != 2 {
                let other = with(isa: isa, threads: threads) { LinearResults(reference) }
                #expect(results.difference(other) == nil, "\(threads) threads, \(name)")
            }
        }
    }
}
