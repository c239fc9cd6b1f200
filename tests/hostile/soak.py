"""Many submissions on one host, a fifth of them hostile: what comes of each, and whether anything piles up."""

from __future__ import annotations

import resource
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from grader.sandbox.host import StudentHost
from hostile.arena import ATTACKS, Arena
from hostile.world import descriptors_and_children

MIB = 1 << 20
HOSTILE_EVERY = 5


@dataclass
class Soaked:
    """What a soak showed."""

    surprises: list[str] = field(default_factory=list)  # outcomes other than expected
    submissions: int = 0
    hostile: int = 0
    seconds: float = 0.0
    resident_mib: list[float] = field(default_factory=list)  # of the grader, after each tenth
    zygote_mib: list[float] = field(default_factory=list)
    descriptors: list[tuple[int, str, int]] = field(default_factory=list)

    def __str__(self) -> str:
        """Return the figures in a few lines."""
        return (
            f"{self.submissions} submissions, {self.hostile} of them hostile, in {self.seconds:.1f} s:"
            f" {self.submissions / self.seconds:.1f} a second\n"
            f"surprises: {self.surprises or 'none'}\n"
            f"grader MiB by tenths: {', '.join(f'{size:.0f}' for size in self.resident_mib)}\n"
            f"zygote MiB by tenths: {', '.join(f'{size:.0f}' for size in self.zygote_mib)}\n"
            f"descriptors and children at the first and last tenth: {self.descriptors[0]} and {self.descriptors[-1]}"
        )


def soak(
    arena: Arena, host: StudentHost, honest: dict[str, str], count: int, attacks: Sequence[Path] = ATTACKS
) -> Soaked:
    """Grade `count` submissions: the honest ones in turn, and an attack at every fifth place.

    honest : {name: source}; each is graded once before, which says what it must score from then on.
    """
    expected = {name: arena.grade(name, source).report.score for name, source in honest.items()}
    names = list(honest)
    soaked = Soaked(submissions=count)
    began = time.perf_counter()
    for number in range(count):
        if number % HOSTILE_EVERY == HOSTILE_EVERY - 1:
            outcome = arena.attack(attacks[soaked.hostile % len(attacks)])
            soaked.hostile += 1
            if outcome.breaches or outcome.gained:
                soaked.surprises.append(f"{outcome.name}: gained {outcome.gained}, {outcome.breaches}")
        else:
            name = names[number % len(names)]
            report = arena.grade(name, honest[name]).report
            if report.score != expected[name]:
                soaked.surprises.append(f"{name}: {report.score}, expected {expected[name]}, after {number} others")
        if (number + 1) % max(1, count // 10) == 0:
            soaked.resident_mib.append(_resident("self"))
            soaked.zygote_mib.append(_resident(host.server.pid))
            soaked.descriptors.append(descriptors_and_children(host.server.pid))
    soaked.seconds = time.perf_counter() - began
    return soaked


def _resident(pid: int | str) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1]) * resource.getpagesize() / MIB
