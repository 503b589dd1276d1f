import Foundation
import LinkedNet
import Testing

/// A file that Python's safetensors wrote (generate_safetensors.py).
@Suite struct GoldenSafetensorsTests {
    static let base64 = """
        YAEAAAAAAAB7Il9fbWV0YWRhdGFfXyI6eyJmb3JtYXQiOiJucCIsIm5vdGUiOiJ0YWJcdCwgcXVvdGUgXCIsIMOpLCDwn5iALCBc
        dTAwMWYifSwiZGVuc2UvYmlhcyI6eyJkdHlwZSI6IkYzMiIsInNoYXBlIjpbM10sImRhdGFfb2Zmc2V0cyI6WzAsMTJdfSwiZGVu
        c2Uva2VybmVsIjp7ImR0eXBlIjoiRjMyIiwic2hhcGUiOlsyLDNdLCJkYXRhX29mZnNldHMiOlsxMiwzNl19LCJncsO2w59lIFwi
        eFwiXFxcblx1MDAwMS/wnZuEIjp7ImR0eXBlIjoiRjMyIiwic2hhcGUiOlsxLDFdLCJkYXRhX29mZnNldHMiOlszNiw0MF19LCJz
        Y2FsZSI6eyJkdHlwZSI6IkYzMiIsInNoYXBlIjpbXSwiZGF0YV9vZmZzZXRzIjpbNDAsNDRdfX0gICAgAQAAAAAAAIAAAIB/AAAA
        vwAAgL4AAAAAAACAPgAAAD8AAEA///9/fwAAIEA=
        """

    private let directory: TemporaryDirectory
    private let bytes: [UInt8]
    private let file: SafetensorsFile

    init() throws {
        directory = try TemporaryDirectory()
        bytes = try Array(#require(Data(base64Encoded: Self.base64, options: .ignoreUnknownCharacters)))
        file = try SafetensorsFile(directory.write("golden.safetensors", bytes))
    }

    @Test func metadata() {
        #expect(file.metadata == ["format": "np", "note": "tab\t, quote \", é, 😀, \u{1F}"])
    }

    @Test func names() {
        #expect(file.entries.map(\.name) == ["dense/bias", "dense/kernel", "größe \"x\"\\\n\u{1}/𝛄", "scale"])
    }

    @Test func matrix() throws {
        let expected = try Tensor(shape: [2, 3], elements: [-0.5, -0.25, 0, 0.25, 0.5, 0.75])
        #expect(try file.tensor(named: "dense/kernel") == expected)
        #expect(file["dense/kernel"]?.shape == [2, 3])
    }

    @Test func bitsOfSpecialNumbers() throws {
        let bias = try file.tensor(named: "dense/bias")
        #expect(bias.elements.map(\.bitPattern) == [1, 0x8000_0000, 0x7F80_0000])
        #expect(try file.tensor(named: "größe \"x\"\\\n\u{1}/𝛄").elements == [.greatestFiniteMagnitude])
    }

    @Test func scalar() throws {
        #expect(try file.tensor(named: "scale") == Tensor(shape: [], elements: [2.5]))
    }

    /// Tensors that are read, written and read again stay the same.
    @Test func writtenAgain() throws {
        let tensors = try file.entries.map { (name: $0.name, tensor: try file.tensor(named: $0.name)) }
        let path = directory.path + "/again.safetensors"
        try write(tensors, metadata: file.metadata, to: path)
        let again = try SafetensorsFile(path)
        #expect(again.metadata == file.metadata)
        for (name, tensor) in tensors {
            #expect(try again.tensor(named: name) == tensor)
        }
        #expect(try WeightsDigest.sha256(of: again) == WeightsDigest.sha256(of: file))
    }
}
