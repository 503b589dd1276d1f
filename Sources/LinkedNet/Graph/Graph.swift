/// A network as data: nodes in an order in which they can run. The builder makes the graph, and rewrites change the
/// graph.
struct Graph {
    struct Node {
        /// The path of the layer that added the node.
        var name: String
        var operation: any NodeOperation
        var inputs: [TensorID]
        /// No two nodes share an output, so the output identifies a node through all rewrites.
        var output: TensorID
        var parameters: [ParameterID]
        var states: [StateID]
    }

    struct Parameter {
        var name: String
        let shape: Shape
        let initialization: GraphBuilder.Initialization
    }

    struct State {
        var name: String
        let shape: Shape
        let value: Float
    }

    /// The shape of one sample of each tensor. Tensor 0 is the network's input.
    var tensorShapes: [Shape]
    var nodes: [Node] = []
    var parameters: [Parameter] = []
    var states: [State] = []
    /// The network's result.
    var output = TensorID(index: 0)
    /// The largest number of samples of a training step, and of one forward or backward pass.
    var batch = 1, microBatch = 1

    /// The size of one sample of a tensor, or of a parameter.
    func elementCount(of tensor: TensorID) -> Int { tensorShapes[tensor.index].elementCount }
    func elementCount(of parameter: ParameterID) -> Int { parameters[parameter.index].shape.elementCount }
}
