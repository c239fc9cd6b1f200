"""Write the solution notebook of any network of the family, out of one template."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import jinja2
import numpy as np

from grader.model import Assignment
from reference.cases import network_of
from reference.lesson.printed_figures import TOY_STD, read_digits, read_share, work_out_toy
from reference.settings import classic_std, first_settings, learning_rates

TEMPLATE = "two_layer_net.j2"
ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth")
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
    "backward": (*(f"gradient_{name}{k}" for k in range(1, 7) for name in "Wb"), "numeric_gradient"),
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

    room.filters |= {"tex": write_tex, "short": shorten, "of_layer": number_layer}

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
    first, data = first_settings(variant.activation, variant.loss, variant.depth), read_digits(assignment.folder)
    rates = learning_rates(variant.activation, variant.loss, variant.depth)
    reg = 0.1 if variant.regulariser == "half" else 0.05
    maps = "2, " if network.maps > 1 else ""

    def total(part: str = "") -> str:
        checks = PARTS[part] if part else [check for part in PARTS.values() for check in part]
        return f"{sum(float(points.get(check, 0)) for check in checks):g}"

    shares = {
        "above": read_share(network, data, first, TOY_STD),
        "tiny": read_share(network, data, first, classic_std(variant.depth)),
    }
    return {
        "activation": variant.activation,
        **{name: f"{getattr(variant, name):g}" for name in ("slope", "alpha", "margin")},
        "names": list(variant.names),
        **dict(zip(("W1", "b1"), variant.layers[0], strict=True)),  # the first layer and the last
        **dict(zip(("W2", "b2"), variant.layers[-1], strict=True)),
        "layers": describe_layers(variant.layers, maps),
        "code": _write_sizes(variant.depth),
        **solve_xnor(assignment),
        "loss_name": variant.loss,
        "regulariser_name": variant.regulariser,
        "shape": {"W1": f"({maps}D, H{'' if variant.depth == 2 else '1'})", "u": f"({maps}N, H)", "code": maps},
        "cls": assignment.class_name,
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


def describe_layers(names: Sequence[tuple[str, str]], maps: str) -> list[dict[str, Any]]:
    """Return each layer's names, shapes and words; maps : "2, " for maxout, in front of the shapes of hidden layers."""
    last, found = len(names), list[dict[str, Any]]()
    for k, (W, b) in enumerate(names, start=1):
        n, before = ("", "") if last == 2 else (str(k), str(k - 1))
        rows, columns = "D" if k == 1 else f"H{before}", "C" if k == last else f"H{n}"
        own = "" if k == last else maps
        size = "hidden_size" if last == 2 else "hidden_sizes[{}]"
        found.append({
            "k": k, "W": W, "b": b, "n": n, "sub": f"_{n}" if n else "", "word": ORDINALS[k - 1], "hs": rows,
            "shape": f"({own}{rows}, {columns})", "bias": f"({own}{columns})" if own else f"({columns},)",
            "u": f"({own}N, {columns})", "out": f"(N, {columns})", "inp": f"(N, {rows})",
            "x": "X" if k == 1 else f"hidden{before}", "h": f"hidden{n}",
            "x_tex": "X" if k == 1 else f"h_{before}" if before else "h",
            "rows": "input_size" if k == 1 else size.format(k - 2),
            "columns": "output_size" if k == last else size.format(k - 1),
        })  # fmt: skip
    return found


def _write_sizes(depth: int) -> dict[str, str]:
    """Return how hidden sizes are written in the lesson's code: a number, or a list of one for each hidden layer."""
    if depth == 2:
        one = {"toy": "10", "ones": "np.ones((5, 10))", "size": "hidden_size", "first": "16"}
        return {**one, "of_size": "hidden_size", "of_chosen": 'chosen.pop("hidden_size")'}
    hidden = depth - 1
    return {
        "toy": str([10] * hidden),
        "ones": f"[np.ones((5, 10))] * {hidden}",
        "size": "hidden_sizes",
        "first": f"[16] * {hidden}",
        "of_size": f"[hidden_size] * {hidden}",
        "of_chosen": f'[chosen.pop("hidden_size")] * {hidden}',
    }


def write_tex(name: str) -> str:
    """Return a parameter's name in LaTeX: W1 as W_1."""
    found = re.fullmatch(r"([A-Za-z])_?(\d*)", name)
    if found is None:
        return rf"\mathrm{{{name}}}".replace("_", r"\_")
    return f"{found[1]}_{found[2]}" if len(found[2]) == 1 else f"{found[1]}_{{{found[2]}}}" if found[2] else found[1]


def number_layer(tex: str, number: str) -> str:
    """Return an activation's formula with its u numbered by the layer; the two of maxout keep theirs above."""
    inner = r"(?<![a-z\\])u(_[12])?(?![a-z])"
    return re.sub(inner, lambda u: f"u{number}^{{({u[1][1]})}}" if u[1] else f"u{number}", tex) if number else tex


def shorten(number: float) -> str:
    """Return a number with two digits after the point at most, and no zero below 0."""
    return f"{round(number, 2) + 0.0:g}"


def solve_xnor(assignment: Assignment) -> dict[str, Any]:
    """Return the table of XNOR in two hidden units, and where its points stand in the picture.

    003's weights of 20 for a sigmoid and tanh, which are 0 and 1 (or -1 and 1) far from 0 only. Of maxout the second map is 0.
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
