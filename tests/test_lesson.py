"""The lesson of every network: one template, whose figures are what the solution in it prints."""

import contextlib
import io
import json
import re
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from grader.cli.new import new, sort_choices
from grader.integrations.exercises import EXERCISES
from grader.model import TAKEN, CheckRow, Variant
from grader.release import build_release
from reference.lesson.write_lesson import write_lesson, write_tex

SOLUTION = Path(__file__).resolve().parent.parent / "reference" / "two_layer_net_solution.ipynb"
ACTIVATIONS = ("relu", "leaky_relu", "sigmoid", "tanh", "elu", "maxout")
LOSSES = ("softmax", "svm", "sigmoid")
REGULARISERS = ("either", "half", "full", "every")
NAMES = (("W1", "b1", "W2", "b2"), ("W", "c", "w", "b"), ("weights_1", "bias_1", "weights_2", "bias_2"))
ROWS = re.findall(
    r"\| `(.+?)` \| `(.+)` \|$", (SOLUTION.parent / "README.md").read_text(encoding="utf-8"), re.MULTILINE
)
# What the loops over layers call theirs: they name no parameter.
LOOPS = {"layers", "W", "b", "k", "x", "dh"}
THREE = tuple(f"{name}{k}" for k in (1, 2, 3) for name in "Wb")
DEEP = [(one, LOSSES[place % 3], REGULARISERS[place % 4], THREE) for place, one in enumerate(ACTIVATIONS)]
FLAT = [("relu", loss, regulariser, ("W", "b")) for loss, regulariser in zip(LOSSES, REGULARISERS[1:], strict=True)]
FEW = [(one, LOSSES[place % 3], REGULARISERS[place % 4], NAMES[place % 3]) for place, one in enumerate(ACTIVATIONS)]
ALL = [(*one, NAMES[place % 3]) for place, one in enumerate(product(ACTIVATIONS, LOSSES, REGULARISERS))]
VARIANTS = [
    *FEW,
    DEEP[3],
    FLAT[1],
    *(pytest.param(one, marks=pytest.mark.slow) for one in (*DEEP, *FLAT) if one not in (DEEP[3], FLAT[1])),
    *(pytest.param(one, marks=pytest.mark.slow) for one in ALL if one not in FEW),
]


def cells_of(assignment, questions=""):
    """Return the solution notebook's cells, by their ids."""
    notebook = json.loads(write_lesson(assignment, questions))
    return {cell["id"]: "".join(cell["source"]) for cell in notebook["cells"]}


def choose(assignment, variant):
    """Return an assignment for another network, in which each layer's gradients have their checks."""
    rows = [row for row in assignment.checks if not re.match(r"gradient_[Wb]\d", row.id)]
    own = [CheckRow(f"gradient_{name}{k}", 4.0) for k in range(1, variant.depth + 1) for name in "Wb"]
    return replace(assignment, variant=variant, checks=(*rows, *own))


def say(cells):
    """Run the cells up to the digits, without pictures and checks; return what they print, and the names they leave."""
    names = {"np": np, "plt": None}
    with contextlib.redirect_stdout(io.StringIO()) as said:
        for name, source in cells.items():
            if name == "load-digits":
                break
            if name in {"tools", "class"} or name.startswith(("write", "try")):
                exec(compile(source, name, "exec"), names)  # noqa: S102 -- it is ours
    return said.getvalue(), names


def test_the_bundled_choice_is_the_bundled_notebook(assignment):
    """Byte for byte: whoever changes the text of one changes the other."""
    assert write_lesson(assignment) == SOLUTION.read_text(encoding="utf-8")


@pytest.mark.parametrize("choice", VARIANTS, ids=lambda choice: "-".join(choice[:3]))
@pytest.mark.filterwarnings("ignore:overflow encountered in exp:RuntimeWarning")
def test_the_figures_are_what_the_solution_prints(assignment, choice):
    """Scores, losses, gradients, how training ends, labels: worked out by the reference, printed by the notebook's own cells."""
    cells = cells_of(choose(assignment, Variant(*choice, slope=0.05, alpha=0.5, margin=2.0)))
    said, names = say(cells)
    methods = [value for name, value in names.items() if name in {"forward", "backward", f"{choice[1]}_loss"}]
    assert len(methods) == 3
    words = {word for one in methods for word in one.__code__.co_varnames}
    assert words - LOOPS <= TAKEN | set(choice[3])
    assert re.search(r"largest difference: \d\.\de-(09|1\d)", said)
    assert len(re.findall(r"^\w+: agrees", said, re.MULTILINE)) == len(choice[3])
    without, with_it = re.findall(r"\*\*(\S+)\*\*", cells["toy-2"])
    reg = re.search(r"at `reg=(\S+)`", cells["toy-2"])[1]
    assert f"reg=0.0: loss {without}\n" in said
    assert f"reg={reg}: loss {with_it}\n" in said
    first, last, *_ = re.findall(r"\d\.\d{4}", cells["toy-4"])
    assert f"loss at first {first}, at last {last}\n" in said
    assert f"your labels: {re.search(r'are `(.*?)`', cells['toy-5'])[1]}\n" in said


def test_what_the_students_get_is_made_of_it(assignment, tmp_path):
    """No line of a solution is left, the parameters have their names, and the checks ask the questions beside the notebook."""
    choice = Variant("leaky_relu", "svm", "half", ("W", "c", "w", "b"), slope=0.05, margin=1.0)
    (tmp_path / "s.ipynb").write_text(write_lesson(replace(assignment, variant=choice), "public.npz"), encoding="utf-8")
    text = build_release(tmp_path / "s.ipynb")
    assert "SOLUTION" not in text
    assert "np.maximum(0.05 * u, u)" not in text
    assert r"\\max(0.05\\,u,\\ u)" in text
    shown = re.sub("base64,[^)]*", "", text)
    assert not re.search(r"\bW_?1\b|softmax|[Pp]robabilit|(?<!leaky )(?<!plain )ReLU", shown)
    assert text.count("--questions public.npz") == 7


@pytest.mark.parametrize(("command", "figure"), ROWS, ids=lambda word: word[:40])
def test_each_network_of_the_lectures_has_its_row_and_its_figure(assignment, command, figure):
    """The command of each row of the README writes a notebook in which the row's figure stands."""
    assert len(ROWS) > 10
    variant, by_hand = assignment.variant, command.removeprefix("%check ")
    if command.startswith("grader new DIR "):
        chosen = sort_choices(new.make_context("new", command.split()[2:]).params)["variant"]
        variant = replace(variant, **{**chosen, "names": tuple(chosen.get("names", variant.names))})
    else:
        assert by_hand in EXERCISES
    cells = cells_of(choose(assignment, variant))
    assert figure in "\n".join(cells.values()).replace("`", "")


@pytest.mark.parametrize(
    ("name", "tex"), [("W1", "W_1"), ("W", "W"), ("b_2", "b_2"), ("W12", "W_{12}"), ("bias_1", r"\mathrm{bias\_1}")]
)
def test_a_name_in_a_formula(name, tex):
    """As it is written by hand."""
    assert write_tex(name) == tex
