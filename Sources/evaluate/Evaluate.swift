import ArgumentParser
import LinkedNet

@main
struct Evaluate: ParsableCommand {
    func run() throws {}
}
