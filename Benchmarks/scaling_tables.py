"""The results of Benchmarks/scaling, as step-time gives them, and the tables of docs/scaling.md that show them."""

import textwrap

THREADS = [2, 4, 8, 16, 32, 64, 128]
EFFICIENCIES = [16, 64]

# The runs of step-time for a row: predictions, by machine, and real steps on few and on many threads.
UNLIMITED, WORKSTATION = "none", "workstation-16"
PREDICTIONS = [UNLIMITED, WORKSTATION]
REAL_RUNS = {"2 real threads": 2, "64 real threads": 64}


# What compares predictions with real steps: columns, and keys of step-time's JSON line. With a machine there is nothing
# to compare, because the memory is not the measuring machine's.
CALIBRATION = {
    "1 thread, predicted ms": "one_thread_ms", "1 thread, measured ms": "measured_one_thread_ms",
    "2 threads, predicted ms": "two_threads_ms", "2 threads, measured ms": "measured_two_threads_ms",
    "fork and join µs": "fork_join_us", "of a team µs": "team_fork_join_us"}


def is_complete(run, line):
    """True if the JSON line of a run has what the tables show."""
    if not isinstance(line, dict): return False
    if run in REAL_RUNS: return is_number(line.get("peak_rss_mb"))
    if run == UNLIMITED:
        if not isinstance(line.get("isa"), str): return False
        if not all(is_number(line.get(key)) for key in CALIBRATION.values()): return False
    speed_ups = line.get("speed_up")
    return isinstance(speed_ups, dict) and all(
        is_number(speed_ups.get(str(threads))) and speed_ups[str(threads)] > 0 for threads in THREADS)


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def blocks(report, names):
    """The text for each pair of marks of the page, by the name of the first mark. `names` are rows of the report."""
    rows = {name: report["rows"][name] for name in names}
    settings = report["settings"]
    origin = (
        f"The processor: {settings['processor']}. The kernels: {rows[names[0]][UNLIMITED]['isa']}. step-time had "
        f"`--steps {settings['steps']}`. The measurement began at {settings['date']}.")
    texts = [textwrap.fill(origin, 120)]
    for machine, heading in ((UNLIMITED, "Memory without limits:"), (WORKSTATION, f"The memory of `{WORKSTATION}`:")):
        found = [(name, results[machine]["speed_up"]) for name, results in rows.items() if machine in results]
        if found: texts += [heading, speed_up_table(found)]
    result = {"speed-ups": "\n\n".join(texts), "calibration": calibration_table(rows)}
    measured = [(name, results) for name, results in rows.items() if REAL_RUNS.keys() <= results.keys()]
    if measured:
        result["memory"] = table(
            ["network"] + [f"MB on {threads} threads" for threads in REAL_RUNS.values()],
            [[name] + [str(results[run]["peak_rss_mb"]) for run in REAL_RUNS] for name, results in measured])
    return result


def speed_up_table(found):
    lines = []
    for name, speed_ups in found:
        values = [speed_ups[str(threads)] for threads in THREADS]
        lines.append(
            [name] + [f"{value:.{2 if value < 10 else 1}f}" for value in values]
            + [f"{speed_ups[str(threads)] / threads:.2f}" for threads in EFFICIENCIES])
    columns = ["network"] + list(map(str, THREADS)) + [f"efficiency at {threads}" for threads in EFFICIENCIES]
    return table(columns, lines)


def calibration_table(rows):
    lines = [
        [name] + [f"{results[UNLIMITED][key]:.2f}" for key in CALIBRATION.values()] for name, results in rows.items()]
    return table(["network", *CALIBRATION], lines)


def table(columns, lines):
    head = [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
    return "\n".join(head + [f"| {' | '.join(line)} |" for line in lines])
