"""`grader doctor`: how well student code is isolated on this system."""

from pathlib import Path

import click

from grader.cli import common, options
from grader.health import examine, view
from grader.sandbox import self_test
from grader.sandbox.forkserver import SandboxError


@click.command(
    epilog="""\b
Example:
  grader doctor

Exit status: 0 it is safe to grade strangers' code here; 1 something got through, or student code lacks
something that it needs, so `grader grade` refuses to run."""
)
@options.ANY_ASSIGNMENT
def doctor(folder: Path | None) -> None:
    """Check that student code is isolated on this system and still has what it needs."""
    limits = common.assignment_of(folder).limits
    try:
        found = examine(limits)
    except (self_test.NotIsolatedError, SandboxError) as error:
        click.echo(f"Error: {error}", err=True)
        raise SystemExit(options.GRADER_FAILED) from error
    common.screen().print(view(found))
    raise SystemExit(options.GRADER_FAILED if found.advice else 0)
