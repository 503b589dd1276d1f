/// A name in a file, compared by bytes.
///
/// To Swift, two texts that differ only in Unicode normalisation are equal, such as an é of one character and an é of
/// two characters. To files, such texts are different.
struct ByteName: Hashable {
    private let bytes: [UInt8]

    init(_ name: String) { bytes = Array(name.utf8) }
}
