"""Every benchmark of speed, one after the other: `python tests/benchmarks/all.py [--quick]`.

Quick: about five minutes, with smaller classes and fewer rounds, and without the peers, which have to be installed.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
TIMED = "-m pytest -q --benchmark-enable -s -p no:randomly -n 0"


@dataclass(frozen=True)
class Row:
    """A benchmark, the figures to reach, and its words after `python`; "" where it takes too long for a quick look."""

    what: str
    aims: str
    whole: str
    quick: str


ROWS = (
    Row(
        "What is waited for besides the student's computation",
        "each line has its own aim",
        "bench_startup.py --rounds 7",
        "bench_startup.py --rounds 2",
    ),
    Row(
        "Processor time of a right submission over the student's own, warm",
        "all over own <= 1.25",
        "bench_overhead.py --rounds 30",
        "bench_overhead.py --rounds 8",
    ),
    Row(
        "Regrade after a tolerance and after points changed",
        "against an older build: >= 5 times and >= 3 times as fast",
        "bench_class.py --submissions 400",
        "bench_class.py --submissions 60 --mistakes 8",
    ),
    Row(
        "The writing end of a class of ten thousands",
        "memory stays flat",
        "bench_many.py",
        "bench_many.py --submissions 400",
    ),
    Row("Classes of any size: rates, memory of each process", "memory stays flat", "bench_scale.py", ""),
    Row("Against nbgrader and otter-grader", ">= 15 and >= 40 times, two at a time", "peers.py --submissions 40", ""),
)


def main() -> None:
    """Run them, each in a process of its own, and end with 1 where one could not be run."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    quick, failed, begun = parser.parse_args().quick, 0, time.monotonic()
    for row in ROWS:
        words = (row.quick if quick else row.whole).split()
        print(f"\n{row.what} (aim: {row.aims})", flush=True)
        if not words:
            print(f"left out: python tests/benchmarks/{row.whole}")
            continue
        failed |= subprocess.run([sys.executable, *words], cwd=HERE, check=False).returncode
    print(f"\n{(time.monotonic() - begun) / 60:.1f} minutes")
    raise SystemExit(1 if failed else 0)


if __name__ == "__main__":
    main()
