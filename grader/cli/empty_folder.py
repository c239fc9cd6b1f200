"""The folder that a command fills."""

from __future__ import annotations

import os
from pathlib import Path

import click

from grader.text.sanitise import one_line


def make_empty_folder(out: Path) -> None:
    """Make the folder that a command fills. Ends the command where it holds something, or cannot be made or written."""
    shown = one_line(str(out))
    try:
        if out.exists() and not (out.is_dir() and not any(out.iterdir())):
            raise click.UsageError(f"{shown}: it must be a new or an empty folder. Name another one.")
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise click.UsageError(f"{shown}: this folder cannot be made ({error.strerror}). Name another one.") from error
    if not os.access(out, os.W_OK | os.X_OK):
        raise click.UsageError(f"{shown}: you may not write there. Name a folder of your own.")
