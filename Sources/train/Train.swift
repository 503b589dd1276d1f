import ArgumentParser
import CommandSupport
import LinkedNet
import PaperNetworks

@main
struct Train: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Train one of the paper's networks on images.",
        discussion: """
            Unless asked otherwise, a model is trained by a recipe with which it learns within minutes. --settings \
            paper takes the settings of its experiment in the paper instead, for \(RunOptions.paperEpochs) epochs. The \
            line at the start of training states all settings.

            The run is saved after every epoch, every ten minutes (--save-every), and when it is interrupted (Ctrl-C: \
            after the running step; another Ctrl-C, a second later or more, leaves at once, and what was saved before \
            stays). SIGTERM, SIGHUP and SIGXCPU do the same; SIGUSR1 saves and goes on. Signals that were ignored when \
            train was started stay ignored.

            Examples:
              train --model allcnn
              train --model width50 --activation relu --data shapes --epochs 2 --json
              train --resume runs/allcnn-lk-relu-1

            Exit status: 0 done, 1 training failed (a loss or a weight that is not a number), 64 wrong options, 65 \
            wrong data, 66 missing data, 71 out of memory or threads, 73 or 74 a directory or file that can't be \
            written, 75 another process trains the run, 129, 130, 143 and 152 interrupted and saved (by a second \
            signal: as last saved).
            """)

    @OptionGroup(title: "Network") var networkOptions: SettingOptions<NetworkSettings>
    @OptionGroup(title: "Data") var dataOptions: SettingOptions<DataSettings>
    @OptionGroup(title: "Training") var trainingOptions: SettingOptions<TrainingSettings>
    @OptionGroup(title: "Running") var runningOptions: RunningOptions

    static func main() {
        run(reporting: Session.failure) { try Session($0).run() }
    }

    /// The settings that were asked for.
    func runOptions() throws -> RunOptions {
        var options = RunOptions()
        try networkOptions.ask(&options)
        try dataOptions.ask(&options)
        try trainingOptions.ask(&options)
        return options
    }
}
