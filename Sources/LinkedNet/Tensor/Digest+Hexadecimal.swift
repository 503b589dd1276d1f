import Crypto

extension SHA256.Digest {
    /// 64 hexadecimal digits, in lower case.
    var hexadecimal: String {
        map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
    }
}
