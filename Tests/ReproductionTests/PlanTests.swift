import LinkedNet
import Reproduction
import Testing

@Suite struct PlanTests {
}
