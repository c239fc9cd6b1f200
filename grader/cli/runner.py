"""What GitHub's runner is told when `grader grade --format github` ends, and that it obeys nothing else of the output."""

from __future__ import annotations

import os
import secrets
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from grader.cli import options

if TYPE_CHECKING:
    from grader.model import Report

FAULT = "infrastructure"  # the result of a run that gave no grade, whatever the reason: never 0 points
_FILES, _OUTPUTS = "grader.runner.files", "grader.runner.outputs"  # what the command leaves in its context


class CommandForRunner(click.Command):
    """A command that, asked for the format github, stops the runner's commands while it runs and then gives its own."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Return the context of a call; the runner is told what is wrong with one."""
        asked = bool({"github", "--format=github"} & set(args))
        try:
            return super().make_context(info_name, args, parent, **extra)
        except click.ClickException as error:
            if not asked:
                raise
            token = _stop()
            error.show()
            _tell(token, {}, error.exit_code, error.format_message())
            raise SystemExit(error.exit_code) from error

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command and tell the runner how it ended."""
        if ctx.params["form"] != "github":
            return super().invoke(ctx)
        code: Any = options.GRADER_FAILED
        said = "The grader failed. The log says why."
        token = _stop()
        try:
            super().invoke(ctx)
        except click.ClickException as error:
            error.show()
            code, said = error.exit_code, error.format_message()
        except SystemExit as ended:
            code = ended.code
        except Exception:  # noqa: BLE001 -- a fault of ours, told where the runner obeys nothing: it may quote a student
            click.echo(traceback.format_exc(), err=True)
        finally:
            code = _tell(token, ctx.meta, code, said)
        raise SystemExit(code)


def keep_outputs(folder: Path, reports: Sequence[Report], *, passed: bool) -> None:
    """Keep what the runner is told of a class: the mean of its grades, and whether all are good enough."""
    from grader.reports.export_rows import mean_score  # noqa: PLC0415 -- options need none of it
    from grader.text.phrases import format_points  # noqa: PLC0415 -- the same

    most = format_points(reports[0].max_score)
    outputs = {"score": format_points(mean_score(reports)), "max": most, "passed": str(passed).lower()}
    click.get_current_context().meta.update({_FILES: folder, _OUTPUTS: outputs})


def _stop() -> str:
    """Let the runner obey nothing until it reads the token, which nobody can guess; return it."""
    token = secrets.token_hex(16)
    click.echo(f"::stop-commands::{token}")
    return token


def _tell(token: str, kept: dict[str, Any], code: Any, said: str) -> Any:
    """Let the runner obey again, and give it annotations, the step's summary and its outputs; return the exit status."""
    from grader.reports.annotations import write_command  # noqa: PLC0415 -- options need none of it
    from grader.reports.github import ANNOTATIONS, SUMMARY, escape  # noqa: PLC0415 -- the same

    click.echo(f"\n::{token}::")
    summary, outputs, graded = "", {"score": "", "max": "", "passed": ""}, code in {0, options.TOO_LOW}
    if _FILES in kept:
        click.echo((kept[_FILES] / ANNOTATIONS).read_text(encoding="utf-8"), nl=False)
        summary = (kept[_FILES] / SUMMARY).read_text(encoding="utf-8")
    if graded:
        outputs = kept[_OUTPUTS]
    else:
        click.echo(write_command("error", {"title": "No grade: the infrastructure failed"}, said))
        summary += f"\n**No grade: the infrastructure failed.** {escape(' '.join(said.split()))}\n"
    outputs = {**outputs, "result": "graded" if graded else FAULT}
    written = {"GITHUB_STEP_SUMMARY": summary, "GITHUB_OUTPUT": "".join(f"{k}={v}\n" for k, v in outputs.items())}
    for variable, text in written.items():
        if path := os.environ.get(variable):
            try:
                with Path(path).open("a", encoding="utf-8") as file:
                    file.write(text)
            except OSError as error:
                code = options.GRADER_FAILED if graded else code
                why = f"{variable}: {path} cannot be written ({error.strerror}). Let it name a file that this step may write."
                click.echo(write_command("error", {"title": "The runner was not told"}, why))
    return code
