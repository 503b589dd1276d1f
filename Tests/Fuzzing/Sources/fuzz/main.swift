// Fuzzes one parser with libFuzzer.
//
// usage: fuzz TARGET [OPTION OR CORPUS OF LIBFUZZER]…
import CLibFuzzer
import Foundation

guard CommandLine.argc >= 2, let target = targets[CommandLine.arguments[1]] else {
    print(targets.keys.sorted().joined(separator: "\n"))
    exit(CommandLine.argc >= 2 ? EX_USAGE : EX_OK)
}
runningTarget = target
// libFuzzer gets all arguments except the target's name.
var arguments = CommandLine.unsafeArgv
arguments[1] = arguments[0]
var rest: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = arguments + 1
var count = CommandLine.argc - 1
exit(
    LLVMFuzzerRunDriver(&count, &rest) { bytes, count in
        runningTarget(UnsafeBufferPointer(start: bytes, count: count))
        return 0
    })
