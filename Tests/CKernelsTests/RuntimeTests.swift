import CKernels
import Foundation
import Testing

@Suite struct RuntimeTests {
    @Test func portableKernelsAreAlwaysAvailable() {
        #expect(ck_isa_available(CK_ISA_PORTABLE))
    }

    /// Workers compute with their caller's instructions, and forget them afterwards.
    @Test(arguments: availableISAs)
    func workersFollowTheirCaller(isa: ck_isa) {
        var found = [ck_isa](repeating: ck_isa(rawValue: .max), count: 32)
        for expected in [isa, CK_ISA_PORTABLE] {
            with(isa: expected, threads: 3) {
                found.withUnsafeMutableBytes { bytes in
                    ck_run_tasks(
                        32, 3,
                        { context, task, _ in
                            context?.assumingMemoryBound(to: ck_isa.self)[Int(task)] = ck_isa_current()
                        }, { _, _, _ in }, bytes.baseAddress)
                }
            }
            #expect(found.allSatisfy { $0 == expected })
        }
    }

    /// What this thread has chosen is not another's.
    @Test(arguments: availableISAs)
    func otherThreadsKeepTheirs(isa: ck_isa) throws {
        struct Choice: Equatable {
            let isa: ck_isa
            let threads: Int32
        }
        let process = Choice(isa: ck_isa_current(), threads: ck_threads())
        let (own, other) = with(isa: isa, threads: process.threads + 1) {
            nonisolated(unsafe) var other: Choice?
            let done = DispatchSemaphore(value: 0)
            Thread.detachNewThread {
                other = Choice(isa: ck_isa_current(), threads: ck_threads())
                done.signal()
            }
            done.wait()
            return (Choice(isa: ck_isa_current(), threads: ck_threads()), other)
        }
        #expect(own == Choice(isa: isa, threads: process.threads + 1))
        #expect(other == process)
        #expect(Choice(isa: ck_isa_current(), threads: ck_threads()) == process)
    }
}
