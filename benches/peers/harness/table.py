"""From lines to the one table."""

from collections import defaultdict
from statistics import median

OTHERS_SHARE_MAX = 0.08
HEAD = [
    "workload", "mode", "engine", "threads", "M tuples/s", "min-max", "cpu-s",
    "M per core-s", "Tormenta / peer", "the same per core", "runs",
]  # fmt: skip
NOTE = (
    "Runs: how many count. One does when other processes took at most {share:.0%} of the machine "
    "and, with a hand-over, ping-pong stayed within {near_ns:g} ns. Where none counts, the figures "
    "are over all of them: an impression, no result."
)


def table(runs, near_ns):
    rows = defaultdict(list)
    for run in runs:
        line = run["line"]
        rows[line["name"], line["mode"], line["label"], line["threads"]].append(run)
    rows = [Row(key, runs, near_ns) for key, runs in rows.items()]
    rows.sort(key=lambda row: (row.name, row.mode, -row.rate))
    lines = ["| " + " | ".join(HEAD) + " |", "|" + "---|" * 3 + "---:|" * (len(HEAD) - 3)]
    lines += ["| " + " | ".join(row.cells(_rival(row, rows))) + " |" for row in rows]
    return "\n".join([*lines, "", NOTE.format(share=OTHERS_SHARE_MAX, near_ns=near_ns)])


class Row:
    """One engine in one mode: medians over the runs that count, or over all when none does."""

    def __init__(self, key, runs, near_ns):
        self.name, self.mode, self.label, self.threads = key
        counted = [run["line"] for run in runs if self._counts(run, near_ns)]
        self.runs = f"{len(counted)}/{len(runs)}"
        lines = counted or [run["line"] for run in runs]
        rates = [line["tuples_per_second"] for line in lines]
        self.rate, self.slowest, self.fastest = median(rates), min(rates), max(rates)
        self.cpu = median(line["cpu_seconds"] for line in lines)
        self.per_core = median(line["tuples_per_cpu_second"] for line in lines)
        self.is_ours = lines[0]["ours"]
        self.is_acked = self.is_ours and lines[0]["acked"]

    def _counts(self, run, near_ns):
        """A run counts on a quiet machine, and with a hand-over only between near cores."""
        if run["others_share"] > OTHERS_SHARE_MAX:
            return False
        measured = [ns for ns in run["ping_pong_ns"] if ns is not None]
        return self.mode == "fused" or all(ns <= near_ns for ns in measured)

    def cells(self, rival):
        ratios = ["", ""]
        if rival and not self.is_ours:
            ratios = [f"{rival.rate / self.rate:.2f}", f"{rival.per_core / self.per_core:.2f}"]
        return [
            self.name, self.mode, self.label, str(self.threads), _millions(self.rate),
            f"{_millions(self.slowest)}-{_millions(self.fastest)}", f"{self.cpu:.2f}",
            _millions(self.per_core), *ratios, self.runs,
        ]  # fmt: skip


def _rival(row, rows):
    """Tormenta's acked row of the same workload and mode; the fastest, if there are several."""
    same = [r for r in rows if r.is_acked and (r.name, r.mode) == (row.name, row.mode)]
    return max(same, key=lambda r: r.rate, default=None)


def _millions(rate):
    return f"{rate / 1e6:.{1 if rate < 1e8 else 0}f}"
