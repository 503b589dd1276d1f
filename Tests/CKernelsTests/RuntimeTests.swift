import CKernels
import Testing

@Suite struct RuntimeTests {
    @Test func portableKernelsAreAlwaysAvailable() {
        #expect(ck_isa_available(CK_ISA_PORTABLE))
    }
}
