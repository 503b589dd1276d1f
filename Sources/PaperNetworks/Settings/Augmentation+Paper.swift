import LinkedNet

extension Augmentation {
    /// The paper's for AllCNN and ResNet50: horizontal flips and shifts of up to a tenth.
    public static let paper = Augmentation(horizontalFlip: true, shift: 0.1)
}
