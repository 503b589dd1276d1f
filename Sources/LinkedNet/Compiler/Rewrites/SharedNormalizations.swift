/// Shares work between a BatchNorm and the 1×1 convolution that gives its input x.
///
///     Conv2D 1×1                  Conv2D 1×1 ── moments of x ──┐
///         │ x                         │ x                      │
///     BatchNorm           ⇒       BatchNorm ◄──────────────────┘
///         │ y                         │ y
///
///     backward:  dy → BatchNorm → dx → Conv2D   ⇒   dy → BatchNorm → terms → Conv2D, which forms dx from dy
///
/// The BatchNorm doesn't read x for the moments, and no step stores dx. A convolution that adds a shortcut doesn't
/// share: dx is the shortcut's gradient, too, and has to be stored for the shortcut. A BatchNorm that reads x in
/// another shape, with other channels, doesn't share either: moments and terms belong to channels.
struct SharedNormalizations: Rewrite {
    func apply(to graph: inout Graph) {
        let uses = graph.uses
        for index in graph.nodes.indices {
            let node = graph.nodes[index]
            guard var norm = node.operation as? BatchNormOperation, let source = uses.producer(of: node.inputs[0]),
                var convolution = graph.nodes[source].operation as? PointwiseOperation, convolution.addend == nil,
                norm.channels == convolution.kernel.outputShape[-1],
                uses.soleReader(of: node.inputs[0]) != nil
            else { continue }
            norm.source = convolution.kernel
            convolution.normalizer = NormalizationBuffers(of: node)
            graph.nodes[index].operation = norm
            graph.nodes[source].operation = convolution
        }
    }
}
