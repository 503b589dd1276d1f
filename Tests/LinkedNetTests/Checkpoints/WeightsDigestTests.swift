import LinkedNet
import Testing

@Suite struct WeightsDigestTests {
    /// printf '\x00\x00\x80\x3f\x00\x00\x00\x40\x00\x00\x40\x40' | sha256sum
    @Test func knownValue() throws {
        let tensors = [
            (name: "b", tensor: try Tensor(shape: [1], elements: [3])),
            (name: "a", tensor: try Tensor(shape: [2], elements: [1, 2])),
        ]
        #expect(
            withBorrowed(tensors) { WeightsDigest.sha256(of: $0) }
                == "8e628779e6a74ee0b36991c10158f63cafec7d340ad4e075592502c8708524dd")
    }

    @Test func nothing() {
        #expect(
            WeightsDigest.sha256(of: [BorrowedTensor]())
                == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    }

    @Test func fileAndMemoryAgree() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/file"
        // In the order of the UTF-8 bytes, upper case comes before lower case, and a slash before letters.
        let tensors = try ["b", "a/x", "é", "a", "B", "optimizer:a"].enumerated().map { index, name in
            (name: name, tensor: try Tensor(shape: [1], elements: [Float(index)]))
        }
        try write(tensors, to: path)
        let file = try SafetensorsFile(path)
        let whole = withBorrowed(tensors) { WeightsDigest.sha256(of: $0) }
        #expect(try WeightsDigest.sha256(of: file) == whole)
        let weights = withBorrowed(Array(tensors.dropLast())) { WeightsDigest.sha256(of: $0) }
        #expect(try WeightsDigest.sha256(of: file) { !$0.hasPrefix("optimizer:") } == weights)
        #expect(weights != whole)

        let sorted = try Tensor(shape: [5], elements: [4, 3, 1, 0, 2])
        #expect(withBorrowed([("sorted", sorted)]) { WeightsDigest.sha256(of: $0) } == weights)
    }
}
