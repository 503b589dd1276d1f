/// The index of a graph: the nodes that give and read each tensor and each parameter, and the gradients that are
/// needed.
struct GraphUses {
    /// A place at which a node reads a tensor.
    struct Reader {
        let node: Int
        let input: Int
    }

    private let output: TensorID
    private let producers: [Int?]
    private let readerLists: [[Reader]]
    private let parameterReaderCounts: [Int]
    private let isOnTheWay: [Bool]
    private let nodeTrains: [Bool]
    private let nodeOutputs: [TensorID]
    private let tensorDependsOnParameters: [Bool]

    init(_ graph: Graph) {
        output = graph.output
        nodeOutputs = graph.nodes.map(\.output)
        var producers: [Int?] = Array(repeating: nil, count: graph.tensorShapes.count)
        var readers: [[Reader]] = Array(repeating: [], count: graph.tensorShapes.count)
        var parameterReaders = Array(repeating: 0, count: graph.parameters.count)
        var depends = Array(repeating: false, count: graph.tensorShapes.count)
        var nodeTrains: [Bool] = []
        for (index, node) in graph.nodes.enumerated() {
            producers[node.output.index] = index
            for (position, input) in node.inputs.enumerated() {
                readers[input.index].append(Reader(node: index, input: position))
            }
            for parameter in node.parameters { parameterReaders[parameter.index] += 1 }
            let trains = !node.parameters.isEmpty || node.inputs.contains { depends[$0.index] }
            depends[node.output.index] = trains
            nodeTrains.append(trains)
        }
        var isOnTheWay = Array(repeating: false, count: graph.tensorShapes.count)
        isOnTheWay[graph.output.index] = true
        for node in graph.nodes.reversed() where isOnTheWay[node.output.index] {
            for input in node.inputs { isOnTheWay[input.index] = true }
        }
        self.producers = producers
        readerLists = readers
        parameterReaderCounts = parameterReaders
        self.isOnTheWay = isOnTheWay
        self.nodeTrains = nodeTrains
        tensorDependsOnParameters = depends
    }

    /// The node that gives a tensor; `nil` for the network's input.
    func producer(of tensor: TensorID) -> Int? { producers[tensor.index] }

    /// The nodes that read a tensor, in order. The network's caller, who reads the output, is not in the list.
    func readers(of tensor: TensorID) -> [Reader] { readerLists[tensor.index] }

    /// The only reader of a tensor; `nil` if there are others. The network's caller counts as a reader of the output.
    func soleReader(of tensor: TensorID) -> Reader? {
        let readers = readerLists[tensor.index]
        return readers.count == 1 && tensor != output ? readers[0] : nil
    }

    /// True if no node reads a tensor, and the network's caller doesn't either.
    func isUnread(_ tensor: TensorID) -> Bool { readerLists[tensor.index].isEmpty && tensor != output }

    /// True if each of the parameters is read at one place.
    func areReadOnce(_ parameters: [ParameterID]) -> Bool {
        parameters.allSatisfy { parameterReaderCounts[$0.index] == 1 }
    }

    /// True if the network's output depends on a tensor.
    func isUsed(_ tensor: TensorID) -> Bool { isOnTheWay[tensor.index] }

    /// True if a node needs the gradient of a tensor. A tensor that the output doesn't depend on gets no gradient, so
    /// the tensor's producers have no gradient to pass on.
    func needsGradient(_ tensor: TensorID) -> Bool {
        tensorDependsOnParameters[tensor.index] && isOnTheWay[tensor.index]
    }

    /// True if a node has gradients to compute.
    func hasBackward(_ node: Int) -> Bool { nodeTrains[node] && isOnTheWay[nodeOutputs[node].index] }
}

extension Graph {
    /// The index of the present graph. Takes O(nodes) time.
    var uses: GraphUses { GraphUses(self) }
}
