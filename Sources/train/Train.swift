import ArgumentParser
import LinkedNet

@main
struct Train: ParsableCommand {
    func run() throws {}
}
