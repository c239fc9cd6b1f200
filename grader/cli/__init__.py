"""The commands, one in each file: the only place that prints and exits."""

from __future__ import annotations

import click

from grader import __version__
from grader.cli import adjust, audit, build, demo, doctor, export, grade, history, regrade, show, similar


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="grader")
def main() -> None:
    """Grade the two-layer-net assignment. Student code runs in a sandbox, and every verdict is explained."""


for command in (
    grade.grade,
    regrade.regrade,
    show.show,
    history.history,
    adjust.adjust,
    export.export,
    similar.similar,
    audit.audit,
    demo.demo,
    doctor.doctor,
    build.build,
):
    main.add_command(command)
