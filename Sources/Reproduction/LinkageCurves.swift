import LinkedNet

/// The members of a linkage as curves over z. A network with the linkage alone computes the curves.
enum LinkageCurves {
    static func chart(_ linkage: Linkage, title: String) throws -> LineChart {
        let z = (-60...60).map { Float($0) / 20 }
        let network = try Network(LinkedActivation(linkage), input: [1, 1, 1], batch: z.count)
        let values = try network.predict(Tensor(shape: [z.count, 1, 1, 1], elements: z))
        let count = linkage.members.count
        return LineChart(
            title: title, xLabel: "z", yLabel: "members",
            series: (0..<count).map { member in
                LineChart.Series(
                    name: name(linkage.members[member]),
                    points: z.indices.map { (Double(z[$0]), Double(values.elements[$0 * count + member])) },
                    style: .init(colour: member))
            })
    }

    private static func name(_ member: Linkage.Member) -> String {
        (member.outputScale < 0 ? "−" : "") + "\(member.function.name)(\(member.inputScale < 0 ? "−" : "")z)"
    }
}
