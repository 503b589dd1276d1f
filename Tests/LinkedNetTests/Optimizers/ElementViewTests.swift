import LinkedNet
import Testing

@Suite struct ElementViewTests {
    @Test func elementsAreThoseOfTheBuffer() {
        var numbers: [Float] = [1, 2, 3]
        numbers.withUnsafeMutableBufferPointer { buffer in
            let view = MutableElementView(buffer)
            view[1] += 5
            #expect(view.count == 3 && view[1] == 7)
            #expect(ElementView(UnsafeBufferPointer(buffer))[2] == 3)
        }
        #expect(numbers == [1, 7, 3])
    }

    /// A buffer without elements may have no address.
    @Test func emptyBuffersGiveEmptyViews() {
        #expect(ElementView(UnsafeBufferPointer(start: nil, count: 0)).count == 0)
        #expect(MutableElementView(UnsafeMutableBufferPointer(start: nil, count: 0)).count == 0)
    }

    @Test func anIndexOutOfBoundsEndsTheProcess() async {
        await #expect(processExitsWith: .failure) {
            let numbers: [Float] = [1, 2, 3]
            numbers.withUnsafeBufferPointer { print(ElementView($0)[3]) }
        }
    }

    /// An update whose arrays differ in size would reach beyond the smallest.
    @Test func arraysOfOtherSizesEndTheProcess() async {
        await #expect(processExitsWith: .failure) {
            var (numbers, slot) = (Array(repeating: Float(1), count: 8), Array(repeating: Float(0), count: 8))
            numbers.withUnsafeMutableBufferPointer { numbers in
                slot.withUnsafeMutableBufferPointer { slot in
                    let short = UnsafeMutableBufferPointer(rebasing: slot[..<4])
                    _ = ParameterUpdate(
                        parameters: MutableElementView(numbers), gradients: ElementView(UnsafeBufferPointer(numbers)),
                        slots: [MutableElementView(slot), MutableElementView(short)], step: 0, learningRate: 1)
                }
            }
        }
        await #expect(processExitsWith: .failure) {
            var numbers = Array(repeating: Float(1), count: 8)
            try numbers.withUnsafeMutableBufferPointer { numbers in
                let update = ParameterUpdate(
                    parameters: MutableElementView(numbers), gradients: ElementView(UnsafeBufferPointer(numbers)),
                    slots: [], step: 0, learningRate: 1)
                try Adam().update(update)
            }
        }
    }

    /// A label outside the classes would reach beyond the logits.
    @Test(arguments: [Int32(2), -1])
    func aLabelOutsideTheClassesEndsTheProcess(label: Int32) async {
        await #expect(processExitsWith: .failure) { [label] in
            let logits: [Float] = [0, 0]
            let labels = [label]
            var gradient: [Float] = [0, 0]
            var span = gradient.mutableSpan
            _ = SoftmaxCrossEntropy().evaluate(
                output: logits.span, labels: labels.span, classes: 2, gradient: &span)
        }
    }
}
