"""What a trial takes on a node of a cluster, and how many fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from handlens.words import counted

Resources = Mapping[str, float]
"""What a node has, or has free: `CPU` processors, `GPU` cards, `memory` bytes; a name that is missing is none of it."""

_GIB = 1 << 30


@dataclass(frozen=True)
class Needs:
    """What a trial takes.

    Attributes:
        threads: processors.
        gpus: cards, or the share of one.
        memory: bytes; 0 where the nodes do not tell theirs.
    """

    threads: int
    gpus: float = 0
    memory: int = 0

    def fits(self, node: Resources) -> int:
        """How many trials fit on a node. A share of a card is a part of one: three of 0.4 need two cards."""
        counts = [int(node.get("CPU", 0) // self.threads)]
        if self.gpus:
            cards = node.get("GPU", 0)
            counts.append(int(cards // self.gpus) if self.gpus >= 1 else int(cards) * int(1 / self.gpus))
        if self.memory:
            counts.append(int(node.get("memory", 0) // self.memory))
        return min(counts)

    def no_room(self, nodes: Sequence[Resources]) -> str:
        """Why no trial fits on any of these nodes."""
        most = {name: max((node.get(name, 0) for node in nodes), default=0) for name in ("CPU", "GPU", "memory")}
        asked, there = counted(self.threads, "processor"), f"{most['CPU']:g}"
        if not self.gpus and most["CPU"] < self.threads:
            return f"No trial fits: each takes {asked}, and the largest node of the cluster has {there}."
        if self.gpus:
            asked, there = f"{asked} and {self.gpus:g} of a card", f"{there} and {most['GPU']:g}"
        if self.memory > most["memory"]:
            asked, there = f"{asked}, and {self.memory / _GIB:g} GiB of memory", f"{there}, and {most['memory'] / _GIB:.1f} GiB"
        return f"No trial fits: each takes {asked}, and no node of the cluster has more than {there}."

    def lacking(self, free: Resources) -> list[str]:
        """Of what there is not enough free for one trial, in all nodes together."""
        wanted = {"CPU": (self.threads, "processors"), "GPU": (self.gpus, "cards"), "memory": (self.memory, "memory")}
        return [word for name, (amount, word) in wanted.items() if free.get(name, 0) < amount]
