import LinkedNet

extension Augmentation {
    /// The paper's augmentation for AllCNN and ResNet50: horizontal flips, and shifts of up to a tenth of height and
    /// width.
    public static let paper = Augmentation(horizontalFlip: true, shift: 0.1)
}
