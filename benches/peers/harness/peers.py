"""Which peers run on which workload, and with how many workers."""

from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent

# `tormenta bench` measures both modes of a workload under one name.
WORKLOADS = {"w1": ("w1", "w1x"), "w2": ("w2", "w2x"), "w3": ("w3",), "w4": ("w4",)}


@dataclass(frozen=True)
class Peer:
    """One line of the table to be."""

    program: str
    workload: str
    workers: int
    option: str = ""

    def __str__(self):
        return " ".join([self.program, self.workload, str(self.workers), self.option]).strip()

    def is_built(self, build):
        if self.program == "flink":
            return (build / "flink/classes/FlinkPeer.class").exists()
        return (build / "bin" / self.program).exists()

    def command(self, build, seconds):
        program = [str(build / "bin" / self.program)]
        if self.program == "flink":
            program = [str(HERE / "flink/run.sh"), str(build)]
        option = [self.option] if self.option else []
        return [*program, self.workload, str(seconds), str(self.workers), *option]


def peers_of(name):
    """All peers that Tormenta's workload `name` is compared with."""
    return [peer for workload in WORKLOADS[name] for peer in _peers(workload)]


def _peers(workload):
    if workload in ("w1", "w2"):
        return [Peer(engine, workload, 1) for engine in ("timely", "renoir", "flink")]
    if workload in ("w1x", "w2x"):
        return [
            Peer("timely", workload, 2),
            Peer("renoir", workload, 1),
            Peer("renoir", workload, 1, "adaptive"),
            Peer("renoir", workload, 2),
            Peer("flink", workload, 1),
            Peer("flink", workload, 2),
        ]
    if workload == "w4":
        return [Peer(engine, workload, n) for n in (1, 2) for engine in ("timely", "renoir", "flink")]
    # Words are allocated, so here the allocator matters too.
    programs = ("timely", "timely-mimalloc", "renoir", "renoir-mimalloc", "flink")
    return [Peer(program, workload, workers) for workers in (1, 2) for program in programs]
