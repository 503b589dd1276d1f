import CommandSupport
import Foundation
import LinkedNet
import PaperNetworks

/// The work of one call of the command.
struct Session {
    static let failure = Failure(of: "train")

    private let options: RunOptions
    private let running: RunningOptions
    private let reporter: Reporter
    private let invocation = Invocation()

    init(_ command: Train) throws {
        options = try command.runOptions()
        running = command.runningOptions
        reporter = Reporter(json: running.json, quiet: running.quiet, logEvery: running.logEvery)
    }

    func run() throws {
        Interruption.install()
        Self.failure.prepareKernels(threads: running.threads)
        if let directory = running.resume {
            try resume(directory)
        } else {
            try begin()
        }
    }

    private func begin() throws {
        let settings = try options.settings()
        let data = try DataSource.resolve(settings.data)
        reporter.line(data.note)
        if running.dryRun {
            if let directory = running.output { try PaperRun.checkIsNew(directory) }
            let images = settings.trainingImages(of: data)
            let network = try settings.network(imageShape: images.imageShape, classCount: images.classCount)
            warn(about: settings, data)
            return show(try settings.trainer(network), settings)
        }
        let run = try PaperRun(settings, data: data, directory: running.output)
        warn(about: settings, data)
        reporter.line("\(settings)")
        try train(run, data)
    }

    private func resume(_ directory: String) throws {
        let run = try PaperRun(resuming: directory)
        let contradictions = try options.contradictions(to: run.settings)
        if !contradictions.isEmpty { Self.failure.exitUsage(contradictions.map(Failure.text).joined(separator: "; ")) }
        if let epochs = options.epochs {
            run.extend(toEpochs: epochs, schedule: try options.addedSchedule(to: run.settings))
        }
        let data = try run.data(options.data ?? nil)
        reporter.line(data.note)
        for damage in run.run.damage { reporter.warn("\(damage); going on from an older checkpoint") }
        if let damage = run.run.metricsDamage { reporter.warn("\(damage)") }
        if let change = run.run.computationChange { reporter.warn(change) }
        if let warning = run.settings.scheduleWarning {
            reporter.warn(
                "\(warning); --schedule beside more --epochs gives the epochs that are added one of their own")
        }
        if running.dryRun { return show(run.run.trainer, run.settings) }
        reporter.line("\(run.settings)")
        let position = run.run.trainer.position
        reporter.line(
            position.epoch < run.settings.epochs
                ? "resuming after \(position.step) steps, in epoch \(position.epoch + 1)"
                : "all \(run.settings.epochs) epochs are done; more --epochs would continue")
        try train(run, data)
    }

    /// Warns about options that have no effect, or that may have an unexpected effect.
    private func warn(about settings: RunSettings, _ data: DataSource) {
        for warning in settings.warnings(about: data) { reporter.warn(warning) }
        if let warning = settings.scheduleWarning { reporter.warn(warning) }
        // Somebody who tries a few steps needs no warning about the recipe's own warm-up.
        if options.schedule != nil, let warning = settings.warmUpWarning(about: data) { reporter.warn(warning) }
    }

    private func show(_ trainer: Trainer, _ settings: RunSettings) {
        reporter.line("\(settings)")
        reporter.line("\(trainer.network.summary)")
        if running.plan { reporter.line("\(trainer.network.planDescription)") }
        reporter.line(
            String(
                format: """
                    training   %.1f MiB more: the optimizer's slots, a copy of the states and sums of gradients; \
                    %.1f MiB: copies of what is being saved
                    """,
                Double(trainer.memoryBytes) / 1_048_576, Double(trainer.savingBytes) / 1_048_576))
    }

    private func train(_ paperRun: PaperRun, _ data: DataSource) throws {
        let run = paperRun.run
        // An error's line must not stand behind the progress bar.
        defer { reporter.clear() }
        if let given = running.saveEvery {
            run.saveInterval = given.interval
            if Int(given.text) != nil {
                reporter.line("saving after every \(given.text) steps; \(given.text)min would mean minutes")
            }
        }
        let resume = "\(invocation.command("train")) --resume \(run.directory.quotedForShell)"
        reporter.watch(run, continuedBy: resume)
        if running.noLock {
            run.locksDirectory = false
            reporter.warn("--no-lock: nothing keeps another process off \(run.directory); two at once damage a run")
        }
        let result = try paperRun.train(
            on: data, observers: [reporter, InterruptionObserver()], maxSteps: running.steps)
        if let score = run.best.value, let epoch = run.best.epoch {
            reporter.line(String(format: "best test accuracy %.4f, in epoch %d", score, epoch + 1))
        }
        reporter.line("saved in \(run.directory.printable())")
        // A signal after the last step interrupts nothing.
        if result.end == .stopped, let signal = Interruption.signal {
            reporter.line("interrupted; continue with: \(resume)")
            Self.failure.end(128 + signal)
        }
        if result.end == .completed {
            reporter.line("evaluate with: \(invocation.command("evaluate")) \(run.directory.quotedForShell)")
            let schedule = paperRun.settings.schedule.end == nil ? "" : " --schedule cosine"
            let epochs = min(paperRun.settings.epochs, RunOptions.mostEpochs / 2) * 2
            reporter.line("train further with: \(resume) --epochs \(epochs)\(schedule)")
        } else {
            reporter.line("continue with: \(resume)")
        }
    }
}
