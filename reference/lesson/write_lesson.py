"""Write the solution notebook of any network of the family, out of one template."""

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import jinja2
import numpy as np

from grader.model import Assignment
from grader.text.variant_words import COUNTS
from reference.cases import network_of
from reference.lesson.printed_figures import TOY_STD, read_digits, read_share, work_out_toy
from reference.settings import CLASSIC_STD, first_settings, first_std, learning_rates
from reference.student_program import ORDINALS

TEMPLATE = "two_layer_net.j2"
CELL = re.compile(r"^%% (markdown|code) (\S+)( hidden)?\n", re.MULTILINE)
# LaTeX and Python are full of braces, so the template's marks have none.
MARKS: Mapping[str, Any] = {
    "block_start_string": "<%",
    "block_end_string": "%>",
    "variable_start_string": "<<",
    "variable_end_string": ">>",
    "comment_start_string": "<#",
    "comment_end_string": "#>",
    "trim_blocks": True,
}
PARTS = {
    "forward": ("scores",),
    "loss": ("data_loss", "regularised_loss", "stability", "purity"),
    "backward": (
        *(f"gradient_{one}{layer}" for layer, _ in enumerate(COUNTS, start=1) for one in "Wb"),
        "numeric_gradient",
    ),
    "train": ("update_rule", "minibatch", "decay", "histories", "learns_toy", "learns_digits"),
    "predict": ("predict",),
    "tuning": ("best_hyperparameters",),
}


def write_lesson(assignment: Assignment, questions: str = "") -> str:
    """Return the solution notebook of an assignment, whose folder holds the digits.

    questions : the file of frozen questions that `%check` asks, beside the notebook; "" for those that come with the grader.
    """
    values = collect_values(assignment, f" --questions {questions}" if questions else "")
    room = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # noqa: S701 -- it is no page: every value is the instructor's own, or a number
        **MARKS,
    )

    room.filters |= {"tex": write_tex, "short": shorten}

    def draw(file: str) -> str:
        svg = room.get_template(file).render(values) + "\n"
        return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()

    return lay_out_notebook(room.get_template(TEMPLATE).render(values, picture=draw))


def lay_out_notebook(text: str) -> str:
    """Return a text whose cells begin with lines such as `%% code setup` as a notebook, laid out as Jupyter does."""
    _, *parts = CELL.split(text)
    cells = []
    for kind, name, hidden, body in zip(*(parts[at::4] for at in range(4)), strict=True):
        cell: dict[str, Any] = {
            "cell_type": kind,
            "id": name,
            "metadata": {"jupyter": {"source_hidden": True}} if hidden else {},
            "source": body.strip("\n").splitlines(keepends=True),
        }
        cells.append(cell | ({"execution_count": None, "outputs": []} if kind == "code" else {}))
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    about = {"kernelspec": kernel, "language_info": {"name": "python"}}
    notebook = {"cells": cells, "metadata": about, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


CORNERS = ((0, 0), (0, 1), (1, 0), (1, 1))


def collect_values(assignment: Assignment, questions: str) -> dict[str, Any]:
    """Return all that the template reads."""
    variant, network = assignment.variant, network_of(assignment)
    points = {row.id: f"{row.points:g}" for row in assignment.checks}
    first, data = first_settings(variant), read_digits(assignment.folder)
    rates, std, deep = learning_rates(variant), first_std(variant), variant.depth > 2
    reg = 0.1 if variant.regulariser == "half" else 0.05
    maps = "2, " if network.maps > 1 else ""

    def total(part: str = "") -> str:
        checks = PARTS[part] if part else [check for part in PARTS.values() for check in part]
        return f"{sum(float(points.get(check, 0)) for check in checks):g}"

    above = TOY_STD if variant.depth == 2 else std
    shares = {"above": read_share(network, data, first, above), "tiny": read_share(network, data, first, CLASSIC_STD)}
    return {
        "activation": variant.activation,
        **{name: f"{getattr(variant, name):g}" for name in ("slope", "alpha", "margin")},
        **dict(zip(("W1", "b1", "W2", "b2"), (*variant.layers[0], *variant.layers[-1]), strict=True)),
        "names": variant.names,
        "layers": variant.layers,
        "depth": variant.depth,
        "flat": variant.depth == 1,
        "deep": deep,
        "count": COUNTS[variant.depth - 1],
        "ordinals": ORDINALS,
        "maps": maps,
        "std": f"{std:.0e}".replace("e-0", "e-") if std < 0.01 else f"{std:g}",
        **solve_xnor(assignment),
        "loss_name": variant.loss,
        "regulariser_name": variant.regulariser,
        "shape": {
            "W1": f"({maps}D, H{'_1' if deep else ''})",
            "b1": f"({maps or ''}H{'_1' if deep else ''}{'' if maps else ','})",
            "u": f"({maps}N, H{'_k' if deep else ''})",
        },
        "cls": assignment.class_name,
        "own": vars(variant.methods),
        "title": assignment.title,
        "notebook": assignment.notebook,
        "questions": questions,
        "points": points,
        "total": total,
        "goal": f"{100 * assignment.digits.tuned_threshold:g}",
        "rates": {**asdict(rates), "toy": f"{rates.toy:.0e}".replace("e-0", "e-")},
        "toy": {**asdict(work_out_toy(network, reg, rates.toy)), "reg": reg},
        "digits": {name: f"{share:.0%}"[:-1] for name, share in shares.items()},
    }


def write_tex(name: str) -> str:
    """Return a parameter's name in LaTeX: W1 as W_1."""
    found = re.fullmatch(r"([A-Za-z])_?(\d*)", name)
    if found is None:
        return rf"\mathrm{{{name}}}".replace("_", r"\_")
    return f"{found[1]}_{found[2]}" if len(found[2]) == 1 else f"{found[1]}_{{{found[2]}}}" if found[2] else found[1]


def shorten(number: float) -> str:
    """Return a number with two digits after the point at most, and no zero below 0."""
    return f"{round(number, 2) + 0.0:g}"


def solve_xnor(assignment: Assignment) -> dict[str, Any]:
    """Return the table of XNOR in two hidden units, and where its points stand in the picture.

    Lecture 4's weights of 20 for a sigmoid and tanh, which are 0 and 1 (or -1 and 1) far from 0 only. Of maxout the second map is 0.
    """
    activation = assignment.variant.activation
    steep = activation in {"sigmoid", "tanh"}
    both = np.array([[x1 + x2 - 1.0 for x1, x2 in CORNERS], [1.0 - x1 - x2 for x1, x2 in CORNERS]])
    u = 20 * both - 10 if steep else both
    h = network_of(assignment).activate(np.stack([u, 0 * u]) if activation == "maxout" else u)
    low, high = float(h.min()), float(h.max())
    return {
        "xnor": [[*corner, *units, sum(units)] for corner, units in zip(CORNERS, h.T.tolist(), strict=True)],
        "hidden": {"off": round(120 * (h[0, 1] - low) / (high - low)), "low": shorten(low), "high": shorten(high)},
    }
