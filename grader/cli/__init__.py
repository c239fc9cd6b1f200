"""The commands, one in each file: the only place that prints and exits."""

import ast
from importlib import import_module
from pkgutil import get_data

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
    "new",
    "package",
)


class _Commands(click.Group):
    """The commands by name; each is imported when it is asked for, since a student's check needs a third of the grader."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(COMMANDS)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands with their first sentences, without importing them: that took a second."""
        del ctx
        room = formatter.width - 6 - max(map(len, COMMANDS))
        with formatter.section("Commands"):
            formatter.write_dl([(name, _read_help(name).get_short_help_str(room)) for name in COMMANDS])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in COMMANDS:
            return None
        found: click.Command = getattr(import_module(f"grader.cli.{cmd_name}"), cmd_name)
        return found


def _read_help(name: str) -> click.Command:
    """Return a command that does nothing but know its help, which is read from the file of its name."""
    source = get_data(__name__, f"{name}.py") or b""
    functions = [one for one in ast.parse(source).body if isinstance(one, ast.FunctionDef) and one.name == name]
    return click.Command(name, help=ast.get_docstring(functions[0]))


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="grader")
def main() -> None:
    """Check your own program, or grade a class, of the two-layer-net assignment. Every verdict is explained."""
