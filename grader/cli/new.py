"""`grader new`: a whole assignment for another network of the family."""

import re
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from grader.classroom.roster import read_roster
from grader.classroom.variant_folders import ROSTER
from grader.classroom.variants import choose_variants, spread_variants
from grader.cli import common, options
from grader.cli.kit import kit, make_empty_folder
from grader.model import CLASSIC, Assignment
from grader.rubric import FILE as RUBRIC
from grader.rubric import AssignmentError
from grader.rubric_values import DEEPEST, NUMBER_OF
from grader.text.phrases import plural
from grader.text.sanitise import one_line

HANDOUTS = "handouts"
IN_VARIANT = ("activation", "slope", "alpha", "loss", "margin", "regulariser", "names", "methods")


@click.command(
    epilog="""\b
Examples:
  grader new leaky --activation leaky_relu --slope 0.05
  grader new svm --loss svm --margin 1 --regulariser half --names W,c,w,b
  grader new fit --class-name Network --methods loss=compute_loss,train=fit,predict=classify
  grader new linear --depth 1             a linear classifier: no hidden layer
  grader new deep --depth 4 --names W{},b{}
  grader new class --variants 4 --roster roster.csv       each student one of four; class/handouts holds the kits
  grader grade submissions --assignment class --out graded  each by its own, as class/roster.csv says
  grader audit --assignment svm           proves that its rubric finds every known mistake
  grader kit handout --assignment svm     the folder to hand out

Exit status: 0 written; 1 the disk is full or fails; 2 bad usage; 130 stopped."""
)
@click.argument("out", type=click.Path(path_type=Path, readable=False), metavar="DIR")
@click.option("--activation", help="relu, leaky_relu, sigmoid, tanh, elu or maxout.")
@click.option("--slope", type=float, help="leaky_relu: the slope below 0.")
@click.option("--alpha", type=float, help="elu: the smallest value of a unit is -alpha.")
@click.option("--loss", help="softmax, svm or sigmoid.")
@click.option("--margin", type=float, help="svm: by how much the right class's score has to lead.")
@click.option(
    "--regulariser",
    help="half: 1/2 reg sum W^2; full: reg sum W^2; either: as the student likes; every: full, of biases too.",
)
@click.option(
    "--depth",
    type=click.IntRange(1, DEEPEST),
    help="How many layers: 1 is a linear classifier, 3 has two hidden layers.",
)
@click.option(
    "--names",
    help="Weights and bias of each layer in turn, with commas between, or as W{},b{} with the layer's number.",
)
@click.option("--class-name", help="What students' class is called; what fits the depth, if not said.")
@click.option(
    "--methods",
    metavar="METHOD=NAME,...",
    help="What its methods are called: loss=compute_loss,train=fit,predict=classify.",
)
@click.option("--title", help="Title of the notebook and of reports; the same.")
@click.option("--seed", type=int, help="Public seed; the frozen questions are drawn from it.")
@click.option(
    "--runs",
    type=click.IntRange(10, 10_000),
    default=200,
    show_default=True,
    help="How many trainings of the solution the thresholds are measured by.",
)
@click.option(
    "--variants", type=click.IntRange(2), metavar="N", help="Write N assignments, and give each student one of them."
)
@click.option("--roster", type=options.PATH, metavar="FILE", help="With --variants: the class's list.")
@options.NO_CACHE
def new(out: Path, runs: int, variants: int | None, roster: Path | None, **chosen: Any) -> None:
    """Write an assignment into DIR, which must be new or empty: rubric, lesson, solution, data and frozen questions.

    What is not chosen is as in the grader's own assignment. Thresholds are measured by training the solution, which takes
    a minute, and what each known mistake answers is worked out, which takes two; both are kept for the next time. With
    --variants, each student gets one of several assignments, and `grader grade --assignment DIR` knows which.
    """
    shown, context, there = one_line(str(out)), click.get_current_context(), out.exists()
    try:
        with common.failures_in_words(shown, "Name another folder."):
            plan, listed = _plan(sort_choices(chosen), variants, roster)
            make_empty_folder(out)
            assignment = _write(out, plan, listed, runs)
    except click.UsageError as error:
        click.echo(f"Error: {one_line(error.message, 1_000)}", err=True)
        raise SystemExit(error.exit_code) from None
    except KeyboardInterrupt:
        click.echo("Stopped; nothing was written.", err=True)
        raise SystemExit(options.STOPPED) from None
    finally:
        if not there and out.is_dir() and not any(out.iterdir()):
            out.rmdir()
    files = sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file())
    click.echo(f"Wrote {shown}: {', '.join(files)}.")
    for name in filter(None, plan):
        context.invoke(kit, out=out / HANDOUTS / name, folder=out / name)
    digits, first = assignment.digits, one_line(str(out / next(iter(plan))))
    if not listed:
        click.echo(f"Thresholds: {digits.threshold:g} as given, {digits.tuned_threshold:g} tuned.")
    click.echo(f"Next: grader audit --assignment {first}")


def sort_choices(chosen: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return what was chosen by the rubric's sections; raise UsageError for choices that contradict each other."""
    found: dict[str, dict[str, Any]] = {"": {}, "variant": {}}
    chosen["names"] = _name_layers(chosen.pop("depth"), chosen["names"])
    chosen["methods"] = _name_methods(chosen["methods"])
    if chosen["names"] and len(chosen["names"]) == 2:
        if chosen["activation"]:
            raise click.UsageError(
                f"--activation {chosen['activation']}: a linear classifier has no hidden layer, so leave it out, or choose"
                " --depth 2 or more."
            )
        chosen["activation"] = "relu"  # the rubric has one; no line of the classifier uses it
    for key, value in chosen.items():
        if value is not None:
            found["variant" if key in IN_VARIANT else ""][key] = value
    return found


def _name_methods(methods: str | None) -> dict[str, str] | None:
    """Return the names of methods by what they are usually called; raise UsageError where it is not said so."""
    pairs = [one.split("=") for one in methods.split(",")] if methods is not None else []
    if any(len(pair) != 2 or pair[0].strip() not in vars(CLASSIC) for pair in pairs):
        raise click.UsageError(f"--methods {methods}: write it as in loss=compute_loss,train=fit,predict=classify.")
    return {method.strip(): name.strip() for method, name in pairs} or None


def _name_layers(depth: int | None, names: str | None) -> list[str] | None:
    """Return the names of all parameters, None where they are the bundled ones; raise UsageError where they do not fit."""
    if depth is None and names is None:
        return None
    given = [name.strip() for name in (names or "W{},b{}").split(",")]
    if all("{}" in name for name in given) and len(given) == 2:
        if depth is None:
            raise click.UsageError(f"--names {names}: say of how many layers, such as --depth 3.")
        return [name.replace("{}", str(layer)) for layer in range(1, depth + 1) for name in given]
    if len(given) % 2 or (depth and len(given) != 2 * depth):
        raise click.UsageError(
            f"--names {names}: these are {len(given)}, but {plural(depth, 'layer') + ' have' if depth else 'each layer has'}"
            f" {2 * (depth or 1)}: weights and bias of each layer in turn, with commas between."
        )
    return given


def _plan(
    found: dict[str, dict[str, Any]], count: int | None, roster: Path | None
) -> tuple[dict[str, dict[str, dict[str, Any]]], str]:
    """Return the choices of each assignment by its subfolder, and the roster that says whose each is.

    Raises UsageError where there is no such plan.
    """
    if (count is None) != (roster is None):
        raise click.UsageError("--variants N and --roster FILE go together: each student of the list gets one of N.")
    if count is None or roster is None:
        return {"": found}, ""
    seed = found[""].get("seed", 0)
    given = {key: value for key, value in found["variant"].items() if isinstance(value, str)}
    chosen = {"-".join(choice.values()): choice for choice in choose_variants(count, given, seed)}
    text, counts = spread_variants(read_roster(roster), tuple(chosen), seed)
    for name in chosen:
        click.echo(f"{name}: {plural(counts[name], 'student')}.")
    variants = {name: {**found["variant"], **choice} for name, choice in chosen.items()}
    for number, (axis, one) in NUMBER_OF.items():
        # A number is for those that have it; where none has, the rubric refuses it.
        if any(variant[axis] == one for variant in variants.values()):
            variants = {
                name: {key: value for key, value in variant.items() if key != number or variant[axis] == one}
                for name, variant in variants.items()
            }
    return {name: {**found, "variant": variant} for name, variant in variants.items()}, text


def _write(out: Path, plan: dict[str, dict[str, dict[str, Any]]], roster: str, runs: int) -> Assignment:
    """Write all into a folder within the folder, and move it up when it is whole; return the last assignment."""
    from grader.new_assignment import write_assignment  # noqa: PLC0415 -- other commands have no use for it

    with TemporaryDirectory(prefix="unfinished-", dir=out) as room, ExitStack() as bars:
        for name, choices in plan.items():

            def begin(doing: str, steps: int, name: str = name) -> Callable[[object], None]:
                bars.close()
                began, done = bars.enter_context(common.progress(f"{name} {doing}".strip()))
                began(steps)
                return lambda _: done(None)

            folder = Path(room) / "whole" / name
            folder.mkdir(parents=True)
            try:
                assignment = write_assignment(folder, choices, runs, begin)
            except AssignmentError as error:
                # The file and the line are of a rubric that is never written.
                said = re.sub(rf"^{re.escape(str(folder / RUBRIC))}(, line \d+)?: ", "", str(error))
                raise click.UsageError(f"{name}: {said}" if name else said) from error
        if roster:
            (Path(room) / "whole" / ROSTER).write_text(roster, encoding="utf-8")
        for one in (Path(room) / "whole").iterdir():
            one.rename(out / one.name)
    return assignment
