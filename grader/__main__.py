"""`python -m grader` is the command `grader`."""

import atexit
import os
import sys
import threading
from pathlib import Path

from grader.text.standard_streams import find_lost_output, open_streams


def run() -> None:
    """Start the command, wherever it is started and whatever the terminal can show.

    Ctrl-C while numpy is still being imported ends it without a traceback, too.
    """
    open_streams()
    # numpy's threads would gain nothing, and a process with threads should not fork.
    for library in ("OPENBLAS", "OMP", "MKL"):
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")
    try:
        Path.cwd()
    except OSError as error:
        sys.stderr.write(f"Error: the working folder cannot be found ({error.strerror}): change to one that exists.\n")
        raise SystemExit(2) from None
    try:
        from grader.cli import main  # noqa: PLC0415 -- it takes half a second, in which somebody may press Ctrl-C
    except KeyboardInterrupt:
        sys.stderr.write("Stopped.\n")
        raise SystemExit(130) from None
    try:
        main()
    except SystemExit as ended:
        _leave(ended.code)
        raise
    finally:
        if lost := find_lost_output():
            sys.stderr.write(f"Error: the output could not be written ({lost.strerror}): a part of it is lost.\n")
            raise SystemExit(1) from None


def _leave(code: object) -> None:
    """End at once where all went well: to take apart all that was imported takes a tenth of a check's time."""
    if type(code) is int and threading.active_count() == 1:
        atexit._run_exitfuncs()  # noqa: SLF001 -- as Python itself would
        if not find_lost_output():
            sys.stderr.flush()
            os._exit(code)


if __name__ == "__main__":
    run()
