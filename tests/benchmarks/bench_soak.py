"""A thousand submissions in one run, a fifth of them hostile: `pytest tests/benchmarks/bench_soak.py --benchmark-enable -s`."""

from __future__ import annotations

import sys
from pathlib import Path

from grader.checks import CHECKS
from grader.rubric import bundled, load
from grader.sandbox.host import StudentHost
from hostile.arena import BEST, LIMITS, Arena, short
from hostile.soak import soak
from hostile.world import World
from reference.questions import draw

SAMPLES = Path(__file__).resolve().parents[1] / "submissions"
HONEST = (
    "right_einsum",
    "right_row_biases",
    "wrong_relu_mask",
    "wrong_half_the_gradient",
    "broken_not_a_number",
    "right_float32",
)


def test_a_thousand_submissions(benchmark, tmp_path):
    """Outcomes as expected for all; descriptors, children and memory flat; throughput printed."""
    assignment = short(load(bundled(), tuple(CHECKS)))
    questions = draw(assignment, assignment.seed)
    world = World()
    honest = {name: f"{(SAMPLES / f'{name}.py').read_text(encoding='utf-8')}\n{BEST}\n" for name in HONEST}
    try:
        with StudentHost(LIMITS) as host:
            arena = Arena(assignment, questions, host, world, tmp_path)
            soaked = benchmark.pedantic(lambda: soak(arena, host, honest, 1_000), rounds=1)
    finally:
        world.close()
    sys.stdout.write(f"\n{soaked}\n")
    assert soaked.surprises == []
    assert len(set(soaked.descriptors)) == 1
    # By the eighth tenth each of the 157 attacks was met once, and with it the mistakes that it makes, which are remembered.
    assert soaked.resident_mib[-1] <= soaked.resident_mib[7] + 10
    assert soaked.zygote_mib[-1] <= soaked.zygote_mib[1] + 10
