"""`python -m grader` is the command `grader`."""

from __future__ import annotations

import sys


def run() -> None:
    """Start the command; Ctrl-C while numpy is still being imported ends it without a traceback, too."""
    try:
        from grader.cli import main  # noqa: PLC0415 -- it takes half a second, in which somebody may press Ctrl-C
    except KeyboardInterrupt:
        sys.stderr.write("Stopped.\n")
        raise SystemExit(130) from None
    main()


if __name__ == "__main__":
    run()
