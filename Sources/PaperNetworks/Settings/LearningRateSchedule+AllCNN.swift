import LinkedNet

extension LearningRateSchedule {
    /// The paper's schedule for AllCNN. The factor is 1 to epoch 500, 0.75 to 2000, 0.5 to 2350, 0.1 to 2750, then
    /// 0.05.
    public static let allCNN = steps([
        Step(fromEpoch: 500, factor: 0.75), Step(fromEpoch: 2000, factor: 0.5), Step(fromEpoch: 2350, factor: 0.1),
        Step(fromEpoch: 2750, factor: 0.05),
    ])
}
