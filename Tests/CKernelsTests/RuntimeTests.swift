import CKernels
import Foundation
import Testing

@Suite struct RuntimeTests {
    @Test func portableKernelsAreAlwaysAvailable() {
        #expect(ck_isa_available(CK_ISA_PORTABLE))
    }

    /// Workers compute with their caller's instructions. Each of the three workers takes part, because the first tasks
    /// wait for all workers.
    @Test(arguments: availableISAs)
    func workersFollowTheirCaller(isa: ck_isa) {
        var found = [ck_isa](repeating: ck_isa(rawValue: .max), count: 32)
        for expected in [isa, CK_ISA_PORTABLE] {
            let team = Team()
            with(isa: expected, threads: 3) {
                found.withUnsafeMutableBytes { bytes in
                    team.found = bytes.bindMemory(to: ck_isa.self)
                    ck_run_tasks(
                        32, 3,
                        { context, task, worker in
                            guard let context else { return }
                            Unmanaged<Team>.fromOpaque(context).takeUnretainedValue().run(Int(task), Int(worker))
                        }, { _, _, _ in }, Unmanaged.passUnretained(team).toOpaque())
                }
            }
            #expect(team.workers == [0, 1, 2])
            #expect(found.allSatisfy { $0 == expected })
        }
    }

    private final class Team: @unchecked Sendable {
        var found = UnsafeMutableBufferPointer<ck_isa>(start: nil, count: 0)
        private(set) var workers: Set<Int> = []
        private let condition = NSCondition()
        private let deadline = Date(timeIntervalSinceNow: 30)

        func run(_ task: Int, _ worker: Int) {
            found[task] = ck_isa_current()
            condition.lock()
            workers.insert(worker)
            condition.broadcast()
            while workers.count < 3, condition.wait(until: deadline) {}
            condition.unlock()
        }
    }

    /// A thread's choice of instructions is not another thread's.
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

    // MARK: Teams

    /// What the threads of teams have seen.
    private final class Teams: @unchecked Sendable {
        /// For each leaders' task, the workers that took part in its call, and the threads it was told of.
        private(set) var workers: [Int: Set<Int>] = [:]
        private(set) var threads: [Int32] = []
        private(set) var sets: Set<ck_isa.RawValue> = []
        private(set) var order: [Int] = []
        private let condition = NSCondition()
        private let deadline = Date(timeIntervalSinceNow: 30)
        private let wanted: Int
        private let chosen: ck_isa

        /// - Parameters:
        ///   - wanted: each call's first tasks wait for so many workers.
        ///   - chosen: the instructions that leaders choose for their calls.
        init(wanted: Int, chosen: ck_isa = ck_isa_current()) { (self.wanted, self.chosen) = (wanted, chosen) }

        static func of(_ context: UnsafeMutableRawPointer?) -> Teams {
            Unmanaged<Teams>.fromOpaque(context!).takeUnretainedValue()
        }

        /// A leader's task, whose call has eight tasks.
        func lead(_ number: Int) {
            let before = ck_isa_current()
            ck_isa_select(chosen)
            defer { ck_isa_select(before) }
            condition.withLock { threads.append(ck_threads()) }
            let call = Call(teams: self, number: number)
            ck_run_tasks(
                8, 8,
                { context, _, worker in
                    let call = Unmanaged<Call>.fromOpaque(context!).takeUnretainedValue()
                    call.teams.help(call.number, Int(worker))
                }, { _, _, _ in }, Unmanaged.passUnretained(call).toOpaque())
            withExtendedLifetime(call) {}
        }

        private final class Call {
            let teams: Teams
            let number: Int
            init(teams: Teams, number: Int) { (self.teams, self.number) = (teams, number) }
        }

        private func help(_ number: Int, _ worker: Int) {
            condition.lock()
            workers[number, default: []].insert(worker)
            sets.insert(ck_isa_current().rawValue)
            condition.broadcast()
            while workers[number]!.count < wanted, condition.wait(until: deadline) {}
            condition.unlock()
        }

        func finish(_ number: Int) { condition.withLock { order.append(number) } }

        func run(tasks: Int64, leaders: Int32) {
            ck_run_tasks(
                tasks, leaders, { context, task, _ in Teams.of(context).lead(Int(task)) },
                { context, task, _ in Teams.of(context).finish(Int(task)) }, Unmanaged.passUnretained(self).toOpaque())
        }
    }

    /// Three threads share the calls of each of two tasks, with the instructions of the leader.
    @Test(arguments: availableISAs)
    func teamsShareTheCallsOfTasks(isa: ck_isa) {
        let teams = Teams(wanted: 3, chosen: isa)
        with(isa: CK_ISA_PORTABLE, threads: 6) { teams.run(tasks: 2, leaders: 2) }
        // A team gets the threads of a team that has finished.
        #expect(teams.workers.keys.sorted() == [0, 1])
        #expect(teams.workers.values.allSatisfy { $0.isSuperset(of: [0, 1, 2]) })
        #expect(teams.threads.allSatisfy { (3...6).contains($0) } && teams.threads.contains(3))
        #expect(teams.sets == [isa.rawValue])
        #expect(teams.order == [0, 1])
    }

    /// The third of three tasks has both threads.
    @Test func leadersThatHaveFinishedHelp() {
        let teams = Teams(wanted: 1)
        for _ in 0..<50 { with(isa: ck_isa_current()) { teams.run(tasks: 3, leaders: 2) } }
        #expect(teams.order == (0..<50).flatMap { _ in [0, 1, 2] })
        #expect(teams.threads.allSatisfy { (1...2).contains($0) })
    }

    /// Many short calls of many teams end, on more threads than the machine has.
    @Test(arguments: [3, 5, 16, 64] as [Int32])
    func manyCallsEnd(threads: Int32) {
        let teams = Teams(wanted: 1)
        for _ in 0..<20 { with(isa: ck_isa_current(), threads: threads) { teams.run(tasks: 7, leaders: 4) } }
        #expect(teams.order == (0..<20).flatMap { _ in 0..<7 })
    }

    // MARK: Recording

    private final class Seen {
        var begun: [Int] = [], tasks: [Int] = [], operations: [Int] = [], ended: [Int] = []

        /// Runs `body` with a recorder that notes each call of `body`.
        func record(_ body: () -> Void) {
            var recorder = ck_recorder(
                context: Unmanaged.passUnretained(self).toOpaque(),
                call_begins: { context, count, workers in Seen.of(context).begun += [Int(count), Int(workers)] },
                task_ends: { context, nanoseconds, operations in
                    Seen.of(context).tasks.append(Int(nanoseconds))
                    Seen.of(context).operations.append(Int(operations))
                },
                call_ends: { context in Seen.of(context).ended.append(Seen.of(context).tasks.count) })
            withUnsafePointer(to: &recorder) {
                ck_set_own_recorder($0)
                body()
                ck_set_own_recorder(nil)
            }
        }

        private static func of(_ context: UnsafeMutableRawPointer?) -> Seen {
            Unmanaged<Seen>.fromOpaque(context!).takeUnretainedValue()
        }
    }

    /// Takes some processor time.
    private static func work() {
        var sum = 0.0
        for index in 0..<10_000 { sum += Double(index).squareRoot() }
        #expect(sum > 0)
    }

    /// A recorder sees the call and each of its tasks, which run in order on the calling thread. The calls of a task
    /// that has no team are a part of the task.
    @Test func aRecorderSeesTheTasks() {
        let seen = Seen()
        var order: [Int64] = []
        seen.record {
            with(isa: ck_isa_current(), threads: 1) {
                withUnsafeMutablePointer(to: &order) { order in
                    ck_run_tasks(
                        5, 3,
                        { context, task, worker in
                            #expect(worker == 0)
                            context!.assumingMemoryBound(to: [Int64].self).pointee.append(task)
                            ck_run_tasks(4, 4, { _, _, _ in RuntimeTests.work() }, { _, _, _ in }, nil)
                        }, { _, _, _ in }, order)
                }
            }
        }
        #expect(order == [0, 1, 2, 3, 4])
        #expect(seen.begun == [5, 3])
        #expect(seen.tasks.count == 5)
        #expect(seen.tasks.allSatisfy { $0 > 0 })
        #expect(seen.ended == [5])
        // Without a recorder, nothing is seen.
        ck_run_tasks(5, 3, { _, _, _ in }, { _, _, _ in }, nil)
        #expect(seen.begun == [5, 3])
    }

    /// On more threads than tasks, a recorder sees the calls that a task's team would share, and tells kernels the
    /// team's number of threads. The last two of five tasks on three leaders have the threads of the third.
    @Test func aRecorderSeesTheCallsOfTeams() {
        let seen = Seen()
        var threads: [Int32] = []
        seen.record {
            with(isa: ck_isa_current(), threads: 6) {
                withUnsafeMutablePointer(to: &threads) { threads in
                    ck_run_tasks(
                        5, 3,
                        { context, _, _ in
                            context!.assumingMemoryBound(to: [Int32].self).pointee.append(ck_threads())
                            ck_run_tasks(
                                4, 7, { _, _, _ in ck_run_tasks(9, 9, { _, _, _ in }, { _, _, _ in }, nil) },
                                { _, _, _ in }, nil)
                        }, { _, _, _ in }, threads)
                }
            }
        }
        #expect(threads == [2, 2, 2, 3, 3])
        // Where two threads share four tasks, each task has one thread.
        #expect(seen.begun.prefix(4) == [5, 3, 4, 4])
        #expect(seen.ended.count == seen.begun.count / 2)
        #expect(seen.begun.filter { $0 == 5 }.count == 1)
    }

    /// A copy of 100 000 floats moves 8 bytes for each, in tasks of 8192 floats. The operations of a task include those
    /// of the calls that a team shares, and those of the calls that stay on the task's thread.
    @Test(arguments: [1, 3, 12] as [Int32])
    func aRecorderSeesTheOperations(threads: Int32) {
        let source = Buffer(100_000), target = Buffer(100_000)
        let copy = Seen(), before = ck_own_operations()
        copy.record {
            with(isa: ck_isa_current(), threads: 2) { ck_copy(100_000, source.pointer, target.pointer, false) }
        }
        #expect(copy.operations == Array(repeating: 8 * 8192, count: 12) + [8 * (100_000 - 12 * 8192)])
        #expect(ck_own_operations() - before == 800_000)

        let copies = Seen()
        var operands = (source.pointer, target.pointer)
        copies.record {
            with(isa: ck_isa_current(), threads: threads) {
                ck_run_tasks(
                    3, 3,
                    { context, _, _ in
                        typealias Operands = (UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>)
                        let operands = context!.assumingMemoryBound(to: Operands.self).pointee
                        ck_copy(100_000, operands.0, operands.1, false)
                    }, { _, _, _ in }, &operands)
            }
        }
        #expect(copies.operations.filter { $0 == 800_000 }.count == 3)
        #expect(copies.operations.reduce(0, +) == (threads > 3 ? 2 : 1) * 2_400_000)
    }

    /// Calls that no number of threads would share are not seen.
    @Test func aRecorderSeesNoSmallCalls() {
        let seen = Seen()
        seen.record { ck_run_tasks(1, 3, { _, _, _ in }, { _, _, _ in }, nil) }
        seen.record { ck_run_tasks(3, 1, { _, _, _ in }, { _, _, _ in }, nil) }
        #expect(seen.begun == [])
        #expect(seen.tasks == [])
    }

    // MARK: Processors

    /// The number of processors for a directory that stands for "/" and has these files.
    private func processors(_ files: [String: String]) throws -> Int32 {
        let root = NSTemporaryDirectory() + "linkednet-root-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: root) }
        for (name, text) in files {
            let url = URL(fileURLWithPath: root + name)
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try text.write(to: url, atomically: false, encoding: .utf8)
        }
        return ck_processors(root)
    }

    /// The processors of this process's affinity mask.
    private var ofMask: Int32 { ck_processors("/nowhere") }

    private static let unified = "29 22 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
    private static let unifiedGroup = "0::/user.slice/job\n"

    @Test func withoutGroupsTheMaskCounts() throws {
        #expect(ofMask >= 1)
        #expect(try processors([:]) == ofMask)
        #expect(try processors(["/proc/self/mountinfo": Self.unified, "/proc/self/cgroup": "0::/\n"]) == ofMask)
        #expect(
            try processors(["/proc/self/mountinfo": "nonsense\n - cgroup2\n", "/proc/self/cgroup": ":\n"]) == ofMask)
    }

    /// A part of a processor is rounded up. No quota gives more processors than the mask.
    @Test(
        arguments: [
            ("50000 100000", 1), ("100000 100000", 1), ("1000 100000", 1), ("150000 100000", 2), ("200000 100000", 2),
            ("40000 20000", 2), ("100000000 100000", .max), ("max 100000", .max), ("", .max), ("5", .max),
        ] as [(String, Int32)])
    func aQuotaCounts(quota: String, expected: Int32) throws {
        let files = ["/proc/self/mountinfo": Self.unified, "/proc/self/cgroup": Self.unifiedGroup]
        // The group's own quota, the quota of a group around it, and a container's root.
        for place in ["/user.slice/job", "/user.slice", ""] {
            let found = try processors(files.merging(["/sys/fs/cgroup\(place)/cpu.max": quota + "\n"]) { $1 })
            #expect(found == min(expected, ofMask), "\(place)")
        }
        #expect(try processors(files.merging(["/sys/fs/cgroup/other/cpu.max": "1000 100000\n"]) { $1 }) == ofMask)
    }

    /// In version 1, controllers have hierarchies of their own, and a container sees its group's outer name.
    @Test(arguments: ["/", "/docker/12ab"])
    func aQuotaOfVersion1Counts(root: String) throws {
        let files = [
            "/proc/self/mountinfo": """
            30 25 0:27 \(root) /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset
            31 25 0:28 \(root) /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct

            """,
            "/proc/self/cgroup": "5:cpuset:/docker/12ab\n4:cpu,cpuacct:/docker/12ab\n0::/docker/12ab\n",
        ]
        let group = "/sys/fs/cgroup/cpu,cpuacct" + (root == "/" ? "/docker/12ab" : "")
        for (quota, expected) in [("-1", ofMask), ("100000", 1), ("110000", min(2, ofMask))] {
            let more = ["\(group)/cpu.cfs_quota_us": quota + "\n", "\(group)/cpu.cfs_period_us": "100000\n"]
            #expect(try processors(files.merging(more) { $1 }) == expected, "\(quota)")
        }
    }
}
