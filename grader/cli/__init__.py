"""The commands, one in each file: the only place that prints and exits."""

from __future__ import annotations

from importlib import import_module

import click

from grader import __version__

# In the order of `grader --help`; each stands in the file of its name.
COMMANDS = (
    "check",
    "grade",
    "regrade",
    "show",
    "history",
    "adjust",
    "export",
    "similar",
    "audit",
    "freeze",
    "demo",
    "doctor",
    "build",
    "kit",
)


class _Commands(click.Group):
    """The commands by name; each is imported when it is asked for, since a student's check needs a third of the grader."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in COMMANDS:
            return None
        found: click.Command = getattr(import_module(f"grader.cli.{cmd_name}"), cmd_name)
        return found


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="grader")
def main() -> None:
    """Check your own program, or grade a class, of the two-layer-net assignment. Every verdict is explained."""
