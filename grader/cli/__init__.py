"""The commands: the only place that prints and exits."""

from __future__ import annotations

import click

from grader import __version__
from grader.cli import adjust, audit, export, grade, similar


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="grader")
def main() -> None:
    """Grade the two-layer-net assignment: students' code in a process of its own, every verdict explained."""


for command in (
    grade.grade,
    grade.regrade,
    adjust.adjust,
    adjust.history,
    export.export,
    similar.similar,
    audit.audit,
    audit.demo,
    audit.doctor,
    audit.build,
):
    main.add_command(command)
