"""The commands: the only place that prints and exits."""

from __future__ import annotations

import click

from grader import __version__
from grader.cli.adjust import adjust, history
from grader.cli.audit import audit, build, demo, doctor
from grader.cli.export import export
from grader.cli.grade import grade, regrade
from grader.cli.similar import similar

__all__ = ["main"]


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="grader")
def main() -> None:
    """Grade the two-layer-net assignment: students' code in a process of its own, every verdict explained."""


for command in (grade, regrade, adjust, history, export, similar, audit, demo, doctor, build):
    main.add_command(command)
