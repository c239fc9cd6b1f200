"""What all commands share, and what is known before anything else is imported: options, exit statuses, and how a page is opened."""

import os
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

GRADER_FAILED = 1
TOO_LOW = 3  # --fail-under, --fail-on
STOPPED = 130  # what a shell gives for Ctrl-C
MOST_WORKERS = 256
PATH = click.Path(path_type=Path)


def _assignment_option(default: str) -> Callable[[Any], Any]:
    return click.option(
        "--assignment",
        "folder",
        type=PATH,
        default=None,
        help=f"Folder with an assignment.toml. [default: {default}]",
    )


ASSIGNMENT = _assignment_option("the one that this class was graded with, or the grader's own")
ANY_ASSIGNMENT = _assignment_option("the grader's own")
SEED_VARIABLE = "GRADER_SEED"


def _choose_seed(_context: click.Context, _option: click.Parameter, given: int | None) -> int | None:
    """Return the seed that is given, or the environment's, which is taken out there before any student code runs.

    The message never shows what the variable holds: it is secret, and a CI's log is not.
    """
    text = os.environ.pop(SEED_VARIABLE, None)
    if given is not None or text is None:
        return given
    if not text.strip():
        raise click.UsageError(
            f"{SEED_VARIABLE} is empty: expected the class's secret seed, a whole number. Add it to the secrets of the"
            " repository. Pull requests from forks are given no secrets: grade those after the merge, or by hand."
        )
    if not (text.strip().isascii() and text.strip().isdecimal() and len(text) < 1000):
        raise click.UsageError(
            f"{SEED_VARIABLE} is not a whole number. It is secret, so it is not shown. Correct the secret."
        )
    return int(text)


SEED = click.option(
    "--seed",
    type=click.IntRange(0),
    callback=_choose_seed,
    is_eager=True,  # the variable goes, whatever else is wrong
    help="Secret seed to draw the questions from. [default: what GRADER_SEED holds, or the class's own]",
)
JOBS = click.option(
    "--jobs", type=click.IntRange(1, MOST_WORKERS), default=1, show_default=True, help="How many submissions at a time."
)
TWO_JOBS = click.option(
    "--jobs", type=click.IntRange(1, MOST_WORKERS), default=2, show_default=True, help="How many submissions at a time."
)
CLUSTER = click.option(
    "--cluster",
    default="",
    metavar="ADDRESS",
    help="Use Dask workers: local:N starts N here, tcp://host:port names a scheduler.",
)


def _switch_cache_off(_context: click.Context, _option: click.Parameter, off: bool) -> None:
    if off:
        from grader.disk_cache import SWITCH  # noqa: PLC0415 -- it needs numpy, for which options need not wait

        os.environ[SWITCH] = "off"  # where the workers' processes read it as well


NO_CACHE = click.option(
    "--no-cache",
    is_flag=True,
    expose_value=False,
    callback=_switch_cache_off,
    help="Work out again what known mistakes answer, and keep nothing in the cache folder.",
)
SCHEMA = click.option(
    "--schema",
    type=click.Choice(["gitlab", "jenkins"]),
    help="JUnit: who reads it. Jenkins's schema allows no file, line or properties of a test. [default: gitlab]",
)
BLIND = click.option("--blind", is_flag=True, help="Show pseudonyms for names; a NAME that you give is one as well.")
GRADED = click.argument("out", type=PATH, metavar="DIR")


def _need_packages(_context: click.Context, _option: click.Parameter, wanted: bool) -> bool:
    for name in ("nbconvert", "latex2mathml"):
        if wanted and find_spec(name) is None:
            raise click.UsageError(
                f"{name} is missing, which only instructors need: run `pip install 'twolayer-grader[instructor]'`."
            )
    return wanted


ANNOTATE = click.option(
    "--annotate",
    is_flag=True,
    callback=_need_packages,
    help="Also write each notebook beside its report, with the findings under the cells that they concern.",
)


def open_page(page: Path, *, wanted: bool | None = None) -> None:
    """Open a page in the browser. wanted : None for only where there is a screen."""
    import webbrowser  # noqa: PLC0415 -- only where a page is there to be opened

    has_screen = sys.platform in {"darwin", "win32"} or any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY")))
    if has_screen if wanted is None else wanted:
        webbrowser.open(page.resolve().as_uri())
