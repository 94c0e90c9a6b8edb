"""Builds and runs the peer engines, back to back with `tormenta bench`.

    python3 benches/peers/run.py --build DIR
    python3 benches/peers/run.py --run DIR --tormenta PATH_TO_BINARY
"""

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path

sys.dont_write_bytecode = True

from harness import machine  # noqa: E402
from harness.build import build_all  # noqa: E402
from harness.peers import HERE, WORKLOADS, peers_of  # noqa: E402
from harness.table import OTHERS_SHARE_MAX, table  # noqa: E402

NEAR_HELP = "ping-pong up to which a run with a hand-over counts (default 150)"
PATIENCE_HELP = "longest wait for a quiet machine before each run (default 5)"


def main():
    options = parse()
    if options.build:
        build_all(scratch(options.build))
    if options.run:
        runs = run_all(scratch(options.run), options)
        if not runs:
            sys.exit("nothing ran")
        print(f"{machine.describe()}; {ping_pong_range(runs)};", end=" ")
        print(f"{options.rounds} rounds of {options.seconds:g} s\n\n{table(runs, options.near)}")


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=Path, metavar="DIR", help="build all peers into DIR")
    parser.add_argument("--run", type=Path, metavar="DIR", help="run what was built into DIR")
    parser.add_argument("--rounds", type=int, default=3, help="of the table (default 3)")
    parser.add_argument("--seconds", type=float, default=3, help="of a run (default 3)")
    parser.add_argument("--patience", type=float, default=5, metavar="SECONDS", help=PATIENCE_HELP)
    parser.add_argument("--near", type=float, default=150, metavar="NS", help=NEAR_HELP)
    parser.add_argument("--tormenta", metavar="BINARY", help="compare with this `tormenta`")
    parser.add_argument("--only", default=",".join(WORKLOADS), help="some of %(default)s")
    options = parser.parse_args()
    options.only = options.only.split(",")
    if options.tormenta and not shutil.which(options.tormenta):
        parser.error(f"{options.tormenta} is no program")
    if not options.build and not options.run:
        parser.error("say --build DIR, --run DIR or both")
    if unknown := set(options.only) - set(WORKLOADS):
        parser.error(f"no workload {', '.join(sorted(unknown))}; there are {', '.join(WORKLOADS)}")
    return options


def scratch(folder):
    folder = folder.resolve()
    if folder.is_relative_to(HERE.parent.parent):
        sys.exit("choose a scratch folder outside the repository")
    return folder


def run_all(build, options):
    """Round by round, and within a round workload by workload; every other round backwards."""
    runs = []
    for round_ in range(options.rounds):
        for name in options.only:
            jobs = list(jobs_of(name, build, options, warn=round_ == 0))
            for label, command in jobs if round_ % 2 == 0 else reversed(jobs):
                print(f"round {round_ + 1}: {label}", file=sys.stderr)
                machine.wait_until_quiet(OTHERS_SHARE_MAX, options.patience)
                ran = measure(name, label, command, build, options.seconds)
                runs += record(build, round_ + 1, label, ran)
    return runs


def jobs_of(name, build, options, warn):
    seconds = f"{options.seconds:g}"
    if options.tormenta:
        bench = [options.tormenta, "bench", "--json", "--only", name, "--seconds", seconds]
        yield f"tormenta {name}", bench
    for peer in peers_of(name):
        if peer.is_built(build):
            yield str(peer), peer.command(build, seconds)
        elif warn:
            print(f"skipped: {peer} is not built", file=sys.stderr)


def measure(name, label, command, build, seconds):
    """Runs one job and gives every line it printed, with what the machine was like meanwhile."""
    before = machine.ping_pong_ns(build)
    with machine.Watch() as watch:
        ran = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    after = machine.ping_pong_ns(build)
    if ran.returncode != 0:
        print(f"failed with {ran.returncode}: {label}", file=sys.stderr)
        return []
    lines = [json.loads(line) for line in ran.stdout.splitlines() if line.startswith("{")]
    return [
        {
            "others_share": watch.others_share,
            "ping_pong_ns": [before, line.get("ping_pong_ns"), after],
            "line": complete(line, name, seconds),
        }
        for line in lines
        if "engine" in line or line.get("name") == name
    ]


def record(build, round_, label, ran):
    """Keeps the runs for later questions."""
    with open(build / "results.jsonl", "a") as results:
        for run in ran:
            results.write(json.dumps({"round": round_, "job": label, **run}) + "\n")
    return ran


def complete(line, name, seconds):
    """Adds what Tormenta's lines and the peers' lines say in different words."""
    ours = "engine" not in line
    if ours:
        label = "**Tormenta**, acked" if line["acked"] else "Tormenta, acks off"
    else:
        label = f"{line['engine']} {line['version']}"
        label += f", {line['setting']}" if line["setting"] else ""
    cores = line["cpu_seconds"] / line.get("seconds", seconds)
    return {
        **line,
        "name": name,
        "ours": ours,
        "label": label,
        "tuples_per_cpu_second": line["tuples_per_second"] / cores,
    }


def ping_pong_range(runs):
    measured = [ns for run in runs for ns in run["ping_pong_ns"] if ns is not None]
    if not measured:
        return "no ping-pong"
    return f"ping-pong {min(measured):.0f} to {max(measured):.0f} ns"


if __name__ == "__main__":
    main()
