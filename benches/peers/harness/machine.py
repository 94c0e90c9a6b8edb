"""What the machine is, and what else it was doing during a run."""

import os
import resource
import subprocess
import time


def describe():
    with open("/proc/cpuinfo") as info:
        models = [line.split(":")[1].strip() for line in info if line.startswith("model name")]
    gib = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    return f"{os.cpu_count()} cores, {models[0] if models else 'unknown cpu'}, {gib:.0f} GiB"


def ping_pong_ns(build):
    """One round trip between two spinning threads; None when that cannot be measured."""
    if os.cpu_count() == 1:
        return None
    try:
        ran = subprocess.run([str(build / "bin/ping-pong")], capture_output=True, timeout=60)
        return int(ran.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None


def wait_until_quiet(others_share_max, patience):
    """Waits for half a second in which others took little, or until patience (seconds) is over."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        with Watch() as watch:
            time.sleep(0.5)
        if watch.others_share <= others_share_max:
            return


class Watch:
    """Measures which share of the machine other processes took while a child ran."""

    def __enter__(self):
        self._start = self._now()
        return self

    def __exit__(self, *_):
        wall, busy, own = (b - a for a, b in zip(self._start, self._now()))
        self.others_share = round(max(0.0, busy - own) / (wall * os.cpu_count()), 3)

    @staticmethod
    def _now():
        with open("/proc/stat") as stat:
            user, nice, system, _idle, _wait, irq, softirq, steal = map(
                int, stat.readline().split()[1:9]
            )
        busy = (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        return time.monotonic(), busy, children.ru_utime + children.ru_stime
