"""`grader build`: the students' notebook, made from the solution."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(
    epilog="""\b
Example:
  grader build --solution reference/two_layer_net_solution.ipynb --out assignment/two_layer_net.ipynb

Exit status: 0 the notebook is written; 2 bad usage."""
)
@click.option(
    "--solution", type=click.Path(path_type=Path), required=True, help="The solution notebook, with marked regions."
)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The students' notebook to write.")
def build(solution: Path, out: Path) -> None:
    """Build the students' notebook: the solution without its marked regions and its outputs."""
    try:
        from grader.release import ReleaseError, build_release  # noqa: PLC0415 -- an extra, and 0.4 s to import
    except ImportError as error:
        raise click.UsageError(
            f"{error.name} is missing, which only instructors need: run `pip install 'twolayer-grader[instructor]'`."
        ) from error
    try:
        text = build_release(solution)
    except ReleaseError as error:
        raise click.UsageError(str(error)) from error
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise click.UsageError(f"--out {out}: cannot be written ({error.strerror}).") from error
    click.echo(f"Wrote {out}, {out.stat().st_size:,} bytes.")
