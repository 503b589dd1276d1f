import CCrypto

/// The SHA-256 of bytes that arrive in pieces, computed by the system's libcrypto.
struct SHA256: ~Copyable {
    private let context: OpaquePointer

    init() {
        // libcrypto reports a failure only where memory or its own configuration is missing. No input causes a failure.
        guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
            preconditionFailure("libcrypto can't compute SHA-256: out of memory, or its configuration forbids SHA-256")
        }
        self.context = context
    }

    deinit { EVP_MD_CTX_free(context) }

    /// Appends bytes to the hash's input.
    mutating func update(_ bytes: UnsafeRawBufferPointer) {
        guard EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) == 1 else {
            preconditionFailure("libcrypto failed to add \(bytes.count) bytes to a SHA-256")
        }
    }

    /// Appends bytes to the hash's input.
    mutating func update(_ bytes: some Sequence<UInt8>) {
        Array(bytes).withUnsafeBytes { update($0) }
    }

    /// The hash of all bytes so far as 64 hexadecimal digits in lower case. Ends the hash.
    consuming func finalize() -> String {
        let length = 32
        let digest = [UInt8](unsafeUninitializedCapacity: length) { buffer, count in
            guard EVP_DigestFinal_ex(context, buffer.baseAddress, nil) == 1 else {
                preconditionFailure("libcrypto failed to end a SHA-256")
            }
            count = length
        }
        return digest.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
    }
}
