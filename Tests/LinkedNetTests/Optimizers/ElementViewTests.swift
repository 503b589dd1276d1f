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
}
