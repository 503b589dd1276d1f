import Foundation
import Testing

#if canImport(Glibc)
import Glibc
#endif

/// The commands answer hostile arguments and files with one line and a status of sysexits.h. No command traps, and no
/// command leaves files behind.
@Suite struct HostileInputTests {
    private let place: Workplace

    init() throws {
        place = try Workplace()
    }

    /// Runs a shell command. `$train` and `$evaluate` stand for the commands.
    private func shell(_ command: String) throws -> Command.Result {
        try Command(name: "/bin/sh")(
            "-c", command, in: place,
            environment: [
                "train": Command.train.path, "evaluate": Command.evaluate.path,
                // A trap, too, writes one line only.
                "SWIFT_BACKTRACE": "enable=no",
            ])
    }

    private func expect(
        _ command: String, status: Int32, naming part: String, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        // The limit kills a command that hangs.
        let result = try shell("ulimit -t 20; \(command)")
        #expect(result.status == status, "\(command): \(result.errors)", sourceLocation: sourceLocation)
        #expect(result.errorLines.count == 1, "\(command): \(result.errors)", sourceLocation: sourceLocation)
        #expect(result.errors.contains(part), "\(command): \(result.errors)", sourceLocation: sourceLocation)
        #expect(!result.errors.contains("\u{1B}"), sourceLocation: sourceLocation)
        #expect(!place.exists("runs"), sourceLocation: sourceLocation)
    }

    @Test(arguments: [
        ("--batch-size 0", "--batch-size"), ("--batch-size -1", "--batch-size"), ("--batch-size=-1", "--batch-size"),
        ("--batch-size 9223372036854775807", "batch size 9223372036854775807"),
        ("--batch-size 99999999999999999999", "--batch-size"),
        ("--batch-size 1e3", "--batch-size"), ("--batch-size ''", "--batch-size"),
        ("--limit 0", "--limit"), ("--limit=-9223372036854775808", "--limit"),
        ("--epochs 0", "--epochs"), ("--epochs 9223372036854775807", "--epochs"), ("--steps 0", "--steps"),
        ("--threads 0", "--threads"), ("--threads 9223372036854775808", "--threads"), ("--log-every 0", "--log-every"),
        ("--learning-rate nan", "--learning-rate"), ("--learning-rate inf", "--learning-rate"),
        ("--learning-rate=-1", "--learning-rate"), ("--learning-rate 1e999", "--learning-rate"),
        ("--decay nan", "--decay"), ("--decay=-0.5", "--decay"), ("--momentum 1", "--momentum"),
        ("--momentum nan", "--momentum"),
        ("--schedule ''", "--schedule"), ("--schedule cosine:0", "--schedule"),
        ("--schedule steps:1=nan", "--schedule"), ("--schedule warm-up:1+warm-up:1+constant", "--schedule"),
        ("--schedule $(printf 'steps:\\033[2J')", "--schedule"),
        ("--model width:0", "--model"), ("--model width:9223372036854775808", "--model"),
        ("--model width:9223372036854775807", "found"), ("--model width:9223372036854775807 --sqrt2", "found"),
        ("--model ''", "--model"), ("--activation none", "--activation"), ("--seed=-1", "--seed"),
        ("--seed 18446744073709551616", "--seed"), ("--output ''", "--output"), ("--resume ''", "--resume"),
        ("$(printf '\\377')", "argument 3"), ("--output $(printf 'a\\377')", "argument 4"),
        ("--resume $(printf '\\300\\200')", "argument 4"),
    ])
    func wrongArguments(arguments: String, named: String) throws {
        try expect("\"$train\" --data=data --dry-run \(arguments)", status: 64, naming: named)
    }

    @Test(
        arguments: [
            ("fifo", 65, "a FIFO"), ("directory", 65, "a directory"), ("/dev/zero", 65, "a device"),
            ("/proc/self/mem", 65, "found"), ("missing", 66, "no such file"), ("loop", 66, "too many levels"),
            ("data/t10k-labels-idx1-ubyte/x", 66, "not a directory"), ("empty", 65, "0 bytes"),
        ] as [(String, Int32, String)])
    func somethingElseInPlaceOfARun(path: String, status: Int32, found: String) throws {
        try expect(
            """
            mkfifo fifo; ln -s loop loop; : > empty; mkdir -p directory/checkpoint.safetensors
            "$evaluate" --digest \(path)
            """,
            status: status, naming: found)
    }

    @Test(
        arguments: [
            ("mkfifo $f", "a FIFO", 65), ("mkdir $f", "a directory", 65), ("ln -s /dev/zero $f", "a device", 65),
            ("ln -s nowhere $f", "no such file", 66), (": > $f", "an empty file", 65),
            ("truncate -s 100T $f 2> errors || truncate -s 10T $f", "magic number", 65),
            (
                "printf '\\0\\0\\10\\3\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377' > $f",
                "a file of 16 bytes", 65
            ),
        ] as [(String, String, Int32)])
    func somethingElseInPlaceOfData(making: String, found: String, status: Int32) throws {
        try expect(
            "f=data/train-images-idx3-ubyte; rm $f; \(making); \"$train\" --data data --dry-run", status: status,
            naming: found)
    }

    /// 200 MB of zeros behind a header for a few images, packed in a megabyte.
    @Test func whatIsPackedBehindTheImagesIsNotUnpacked() throws {
        try expect(
            """
            rm data/train-images-idx3-ubyte
            { printf '\\0\\0\\10\\3\\0\\0\\0\\310\\0\\0\\0\\10\\0\\0\\0\\10'; head -c 200000000 /dev/zero; } |
            gzip -1 > data/train-images-idx3-ubyte.gz
            "$train" --data data --dry-run
            """, status: 65, naming: "more bytes")
    }

    @Test func aFileThatMayNotBeRead() throws {
        guard geteuid() != 0 else { return }
        try expect(
            "chmod 0 data/train-images-idx3-ubyte; \"$train\" --data data --dry-run", status: 66,
            naming: "permission denied")
    }

    @Test func otherNamesBesideARunDoNoHarm() throws {
        let result = try shell(
            """
            mkdir run && touch "run/$(printf '\\377\\376')" "run/$(printf '.linkednet-\\377.tmp')" && mkfifo run/x
            "$train" --model width:3 --data data --steps 2 --output run && "$train" --resume run --steps 2 &&
            "$evaluate" --digest run
            """)
        #expect(result.status == 0, "\(result.errors)")
    }

    /// Makes a run called `hostile` whose checkpoint has `replacement` in the place of `text`.
    private func makeHostileRun(_ text: String, _ replacement: String) throws {
        let made = try Command.train(
            "--model", "width:2", "--data", "data", "--steps", "1", "--output", "run", in: place)
        try #require(made.status == 0)
        let file = try Data(contentsOf: URL(fileURLWithPath: "\(place.path)/run/checkpoint-000000002.safetensors"))
        let length = file.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
        var header = String(decoding: file[8..<8 + length], as: UTF8.self)
        try #require(header.contains(text))
        // Without a checksum, the only checkpoint of a run counts as a checkpoint of format 1.
        header = header.replacing("linkednet.checksum", with: "checksum").replacing(text, with: replacement)
        try FileManager.default.createDirectory(atPath: "\(place.path)/hostile", withIntermediateDirectories: false)
        try place.write(
            "hostile/checkpoint.safetensors",
            withUnsafeBytes(of: UInt64(header.utf8.count)) { Array($0) } + Array(header.utf8)
                + Array(file.dropFirst(8 + length)))
    }

    @Test(arguments: [
        (#"\"learning_rate\":0.001"#, #"\"learning_rate\":-1"#, "learning rate"), ("[8,8,1]", "[0,8,1]", "0×8×1"),
        (#"\"batch_size\":32"#, #"\"batch_size\":0"#, "batch size"),
    ])
    func settingsInACheckpointThatMakeNoSense(text: String, replacement: String, named: String) throws {
        try makeHostileRun(text, replacement)
        for command in ["\"$train\" --resume hostile", "\"$evaluate\" hostile"] {
            try expect(command, status: 65, naming: "hostile/checkpoint.safetensors: ")
            try expect(command, status: 65, naming: named)
        }
    }

    @Test func whereARunsDataWereDoesNotMoveTheCursor() throws {
        try makeHostileRun(#"\"data\":\""#, #"\"data\":\"\\u001b[2J"#)
        try expect("\"$train\" --resume hostile --data shapes", status: 65, naming: "\\u{1b}[2J")
    }

    @Test func whatComputedARunDoesNotMoveTheCursor() throws {
        try makeHostileRun(#"\"computation\":["#, #"\"computation\":[\"\\u001b[2J\","#)
        try expect("\"$train\" --resume hostile --dry-run", status: 0, naming: "\\u{1b}[2J")
    }

    /// The images are black: sparse files without content.
    @Test func aClassNameDoesNotMoveTheCursor() throws {
        let result = try shell(
            """
            mkdir cifar && truncate -s 30730000 cifar/test_batch.bin
            for number in 1 2 3 4 5; do truncate -s 30730000 cifar/data_batch_$number.bin; done
            printf 'a\\033[2J\\n1\\n2\\n3\\n4\\n5\\n6\\n7\\n8\\n9\\n' > cifar/batches.meta.txt
            "$train" --model width:1 --data cifar --limit 32 --steps 1 --output run > log && "$evaluate" run --confusion
            """)
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.output.contains("a\\u{1b}[2J"))
        #expect(!result.output.contains("\u{1B}"))
    }

    @Test func aPathDoesNotMoveTheCursor() throws {
        try expect("\"$train\" --resume \"$(printf 'a\\033[2J')\"", status: 66, naming: "a\\u{1b}[2J")
        let result = try shell(
            "directory=$(printf 'a\\033[2J'); mv data \"$directory\"; \"$train\" --data \"$directory\" --dry-run")
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.output.contains("a\\u{1b}[2J") && !result.output.contains("\u{1B}"))
    }

    /// Texts in a file come from other people, and must not reach the terminal unchanged.
    @Test func aNameInAFileDoesNotMoveTheCursor() throws {
        let header = #"{"a\u001b[2J\n\u202e":{"dtype":"F16"}}"#
        try place.write("hostile", withUnsafeBytes(of: UInt64(header.utf8.count)) { Array($0) } + Array(header.utf8))
        try expect("\"$evaluate\" --digest hostile", status: 65, naming: "a\\u{1b}[2J\\u{a}\\u{202e}")
    }
}
