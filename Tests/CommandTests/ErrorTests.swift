import Foundation
import Testing

/// The commands' messages about nearly correct input, and about input without effect.
@Suite struct ErrorTests {
    private let place: Workplace

    init() throws {
        place = try Workplace()
    }

    private func expect(
        _ command: Command, _ arguments: String, status: Int32, _ parts: [String],
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let result = try command.run(arguments.split(separator: " ").map(String.init), in: place)
        #expect(result.status == status, "\(arguments): \(result.errors)", sourceLocation: sourceLocation)
        #expect(result.errorLines.count == 1, "\(arguments): \(result.errors)", sourceLocation: sourceLocation)
        for part in parts {
            #expect(result.errors.contains(part), "\(arguments): \(result.errors)", sourceLocation: sourceLocation)
        }
    }

    // MARK: Values of options

    @Test(
        arguments: [
            ("--model alcnn", ["--model", "width:N", "did you mean allcnn?"]),
            ("--model AllCNN", ["did you mean allcnn?"]), ("--model resnet", ["did you mean resnet50?"]),
            ("--model width:0", ["with N of at least 1"]),
            ("--activation lk_relu", ["did you mean lk-relu?"]), ("--activation swisch", ["did you mean swish?"]),
            ("--optimizer adan", ["expected sgd, adam or rmsprop; did you mean adam?"]),
            ("--init he-unifrom", ["did you mean he-uniform?"]), ("--convolution winograt", ["did you mean winograd?"]),
            ("--settings papr", ["expected recipe or paper; did you mean paper?"]),
            ("--schedule cosin", ["did you mean cosine?"]),
            ("--schedule warmup:3+cosine", ["did you mean warm-up:3+cosine?"]),
            ("--epoch 3", ["Did you mean '--epochs'?"]),
            ("--learning-rate -1", ["--learning-rate", "at least 0", "found -1"]),
            ("--decay -1", ["--decay", "at least 0"]), ("--momentum -1 --optimizer sgd", ["--momentum", "at least 0"]),
            ("--seed -1", ["'-1' is invalid for '--seed", "a whole number, at least 0"]),
            ("--epochs -3", ["'-3' is invalid for '--epochs", "at least 1"]),
            ("--limit -3", ["--limit", "at least 1"]),
            ("--limit-test -3", ["--limit-test", "at least 1"]), ("--steps -3", ["--steps", "at least 1"]),
            ("--threads -3", ["--threads", "at least 1"]), ("--log-every -3", ["--log-every", "at least 1"]),
            ("--batch-size -3", ["--batch-size", "at least 1"]), ("--save-every -3", ["--save-every", "10min"]),
            ("--epochs 2.5", ["a whole number"]), ("--epochs 1e2", ["did you mean 100?"]),
            ("--limit 10,000", ["did you mean 10000?"]), ("--limit 10_000", ["did you mean 10000?"]),
            ("--seed 99999999999999999999", ["0 to 18446744073709551615"]),
            ("--learning-rate 0,01", ["expected a number such as 0.01; did you mean 0.01?"]),
            ("--momentum 0,9", ["did you mean 0.9?"]), ("--learning-rate fast", ["expected a number such as 0.01"]),
            ("--save-every 5m", ["500steps", "did you mean 5min?"]), ("--save-every 1h", ["did you mean 60min?"]),
            ("--save-every 90s", ["did you mean 1.5min?"]), ("--save-every 5step", ["did you mean 5steps?"]),
            ("--save-every often", ["10min"]),
        ] as [(String, [String])])
    func valuesThatAreNearlyRight(arguments: String, parts: [String]) throws {
        try expect(.train, "--data data --dry-run \(arguments)", status: 64, parts)
    }

    @Test func otherCommandsSayItToo() throws {
        try expect(.evaluate, "run --threads -1", status: 64, ["--threads", "at least 1"])
        try expect(.evaluate, "run --limit-test 2.5", status: 64, ["--limit-test", "a whole number"])
        try expect(.reproduce, "tabel1", status: 64, ["did you mean table1?"])
        try expect(.reproduce, "table1 --scale smok", status: 64, ["did you mean smoke?"])
        for option in ["--seeds", "--limit", "--threads"] {
            try expect(.reproduce, "table1 --data data \(option) -1", status: 64, [option, "at least 1"])
        }
    }

    // MARK: Runs

    @Test func whatIsNoRun() throws {
        #expect(
            try Command.train(
                "--model", "width:2", "--data", "data", "--steps", "1", "--output", "runs/width-a", in: place
            ).status == 0)
        try place.write("notes.txt", Array("nothing that is known".utf8))
        let checkpoint = "runs/width-a/checkpoint-000000002.safetensors"
        for (command, option) in [(Command.train, "--resume "), (.evaluate, "")] {
            try expect(
                command, "\(option)data", status: 65,
                ["data: expected the directory of a run, found a directory without a checkpoint"])
            try expect(command, "\(option)runs", status: 65, ["a run is in runs/width-a"])
            try expect(
                command, "\(option)nowhere", status: 66, ["nowhere: expected the directory of a run", "no such file"])
            try expect(command, "\(option)runs/width-b", status: 66, ["did you mean runs/width-a?"])
            try expect(command, "\(option)notes.txt", status: 65, ["notes.txt", "expected the directory of a run"])
        }
        try expect(
            .train, "--resume \(checkpoint)", status: 65, ["one of the checkpoints of the run runs/width-a"])
        #expect(try Command.evaluate(checkpoint, in: place).status == 0)
    }

    // MARK: Data

    @Test(arguments: [
        ("touch cifar-10-binary.tar.gz", "cifar-10-binary.tar.gz", "tar -xf cifar-10-binary.tar.gz -C ."),
        ("mkdir 'a b'; touch 'a b/x.tgz'", "a b/x.tgz", "tar -xf 'a b/x.tgz' -C 'a b', then --data 'a b'"),
        ("mkdir d; touch d/cifar-10-binary.tar.gz", "d", "tar -xf d/cifar-10-binary.tar.gz -C d"),
        ("touch images.zip", "images.zip", "unzip images.zip"),
        ("mkdir -p d/cifar-10-batches-py", "d", "CIFAR-10's Python version"),
        ("mkdir d; touch d/data_batch_1 d/batches.meta", "d", "cifar-10-binary.tar.gz of https://"),
        ("mkdir d; touch d/train d/test d/meta", "d", "cifar-100-binary.tar.gz of https://"),
        ("touch cifar-10-python.tar.gz", "cifar-10-python.tar.gz", "CIFAR-10's Python version"),
        ("mkdir -p d/cat d/dog; touch d/dog/1.JPG", "d", "a directory of pictures"),
        ("mkdir -p d/train/cat d/test/cat; touch d/train/cat/1.png", "d", "convert them to IDX files"),
        ("mkdir d; touch d/1.jpeg", "d", "an ImageDataset"), ("touch 1.png", "1.png", "a picture"),
        ("true", "data/train-images-idx3-ubyte", "the directory that has them: data"),
        ("mkdir d", "d", "a directory with none of their files"), ("touch f", "f", "something that is no directory"),
    ])
    func whatIsNoData(making: String, path: String, found: String) throws {
        #expect(try Command(name: "/bin/sh")("-c", making, in: place).status == 0)
        let result = try Command.train("--data", path, "--dry-run", in: place)
        #expect(result.status == 65)
        #expect(result.errorLines.count == 1)
        #expect(result.errors.contains("\(path): expected fashion-mnist, shapes, or a directory of CIFAR-10"))
        #expect(result.errors.contains(found), "\(result.errors)")
    }

    @Test func namesOfDataThatAreNearlyRight() throws {
        try expect(.train, "--dry-run --data shape", status: 66, ["did you mean shapes?"])
        try expect(.train, "--dry-run --data fashion_mnist", status: 66, ["did you mean fashion-mnist?"])
        try expect(.train, "--dry-run --data somewhere/shape", status: 66, ["no such file or directory\n"])
    }

    // MARK: Accepted, with a word

    @Test(arguments: [
        ("--limit 500", "--limit 500: there are 200 training images, and all are used"),
        ("--limit-test 31", "--limit-test 31: there are 30 test images, and all are used"),
        ("--batch-size 201", "--batch-size 201: an epoch is one step, with all 200 images"),
        ("--limit 50 --batch-size 64", "--batch-size 64: an epoch is one step, with all 50 images"),
        ("--threads 4096", "--threads 4096: there are "),
        ("--epochs 6 --schedule cosine:3", "epochs 4 to 6 will change no weight"),
        ("--epochs 1 --schedule warm-up:100+constant", "the warm-up takes 100 steps, and the run has 7"),
    ])
    func whatComesToNothingIsSaid(arguments: String, warning: String) throws {
        try expect(
            .train, "--model width:2 --data data --dry-run \(arguments)", status: 0, ["train: warning: ", warning])
    }

    @Test(arguments: [
        "--limit 200", "--limit-test 30", "--batch-size 200", "--threads 1", "--epochs 3 --schedule cosine:3",
        "--epochs 1 --schedule warm-up:7+constant",
    ])
    func whatIsRightIsNot(arguments: String) throws {
        let result = try Command.train.run(
            ["--model", "width:2", "--data", "data", "--dry-run"] + arguments.split(separator: " ").map(String.init),
            in: place)
        #expect(result.status == 0 && result.errors.isEmpty, "\(result.errors)")
    }

    @Test func aBareIntervalIsOneOfSteps() throws {
        func output(_ interval: String) throws -> String {
            try Command.train(
                "--model", "width:2", "--data", "data", "--steps", "1", "--save-every", interval, in: place
            ).output
        }
        #expect(try output("10").contains("saving after every 10 steps; 10min would mean minutes"))
        for interval in ["10steps", "10min"] { #expect(try !output(interval).contains("saving after")) }
    }

    /// Only users who leave the choice of data to the command get the hint.
    @Test func theHintAtCIFARIsForNobodyWhoNamedData() throws {
        func output(_ arguments: String...) throws -> String {
            try Command.train.run(["--model", "width:2", "--dry-run"] + arguments, in: place).output
        }
        for data in ["data", "shapes"] { #expect(try !output("--data", data).contains("CIFAR")) }
        try FileManager.default.removeItem(atPath: "\(place.path)/data")
        #expect(try output().contains("unpack cifar-10-binary.tar.gz of https://"))
        try FileManager.default.createDirectory(atPath: "\(place.path)/data", withIntermediateDirectories: false)
        try place.write("data/cifar-10-binary.tar.gz", [])
        #expect(try output().contains("tar -xzf data/cifar-10-binary.tar.gz -C data"))
    }

    @Test func aRunEvaluatedOnOtherClasses() throws {
        // Black images are sparse files without content.
        let making = """
            mkdir cifar && truncate -s 30730000 cifar/test_batch.bin
            for number in 1 2 3 4 5; do truncate -s 30730000 cifar/data_batch_$number.bin; done
            """
        #expect(try Command(name: "/bin/sh")("-c", making, in: place).status == 0)
        for data in ["data", "cifar"] {
            let result = try Command.train(
                "--model", "width:2", "--data", data, "--steps", "1", "--limit", "32", "--limit-test", "32", "--output",
                "on-\(data)", in: place)
            #expect(result.status == 0)
        }
        #expect(try Command.evaluate("on-cifar", in: place).errors.isEmpty)
        // Class names that differ, with images that fit the network.
        let names = (0..<10).map { "kind \($0)\n" }.joined()
        try place.write("cifar/batches.meta.txt", Array(names.utf8))
        try expect(
            .evaluate, "on-cifar --data cifar", status: 0,
            [
                "evaluate: warning: the run learned the classes airplane, automobile, bird, …, ",
                "and CIFAR-10 test has kind 0, kind 1, kind 2, …",
            ])
        // Images that don't fit the network.
        try expect(.evaluate, "on-data --data cifar", status: 65, ["expected images of 8×8×1", "found 32×32×3"])
    }

    // MARK: Epochs that are added

    @Test func epochsAfterTheEndOfACosine() throws {
        let small = ["--model", "width:4", "--data", "data", "--epochs", "3", "--schedule", "cosine", "--output"]
        for name in ["a", "b"] { #expect(try Command.train.run(small + [name], in: place).status == 0) }
        func digest(_ name: String) throws -> String { try Command.evaluate(name, "--digest", in: place).output }
        let before = try digest("a")
        // The run continues at the final rate, with a message.
        try expect(
            .train, "--resume a --epochs 4", status: 0,
            ["warning: the schedule cosine:3 ends with epoch 3", "epoch 4 will change no weight", "--schedule"])
        #expect(try digest("a") == before)
        // The added epochs learn.
        let learning = try Command.train(
            "--resume", "b", "--epochs", "6", "--schedule", "cosine", "--steps", "3", in: place)
        #expect(learning.status == 0 && learning.errors.isEmpty)
        #expect(learning.output.contains("schedule cosine:3@3:cosine:3, "))
        #expect(try digest("b") != before)
        // The same command again continues the run.
        let again = try Command.train("--resume", "b", "--epochs", "6", "--schedule", "cosine", in: place)
        #expect(again.status == 0 && again.output.contains("epoch 6/6"))
        // Another schedule without epochs is refused. The message names the options that were given.
        try expect(
            .train, "--resume b --schedule constant", status: 64,
            ["cosine:3@3:cosine:3 as in the resumed run", "more --epochs than its 6, found constant"])
    }
}
