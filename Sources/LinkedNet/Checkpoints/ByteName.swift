/// A name in a file: the bytes that it is made of.
///
/// Swift takes two texts for equal that differ in Unicode normalisation only, such as an é of one character and of two.
/// Files tell them apart.
struct ByteName: Hashable {
    private let bytes: [UInt8]

    init(_ name: String) { bytes = Array(name.utf8) }
}
