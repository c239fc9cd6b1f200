"""The loss() of a network that is written out: forward pass, loss and gradients."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence

import numpy as np

from reference.author import Author, Step, indented, lines_of, mentions, named, put
from reference.inlining import Page, Written, changes, expression, literal, reads, write
from reference.simplifying import is_zeros

# What means something in loss(), beside the parameters.
TAKEN = frozenset(
    {
        *(
            "self",
            "np",
            "X",
            "y",
            "reg",
            "N",
            "u",
            "hidden",
            "scores",
            "outputs",
            "shifted",
            "data_loss",
            "loss",
            "grads",
        ),
        *("dscores", "dhidden", "du", "penalty_grads"),
    }
)


def unpacked(author: Author) -> list[str]:
    """Return the lines that name the parameters."""
    return [f'{W}, {b} = self.params["{W}"], self.params["{b}"]' for W, b in author.names]


def loss_page(author: Author) -> Page:
    """Return the page of loss(), where each parameter is a variable and N the number of labels."""
    flat = [name for pair in author.names for name in pair]
    known = {f"self.params[{name!r}]": name for name in flat} | {"len(y)": "N"}
    return author.page(TAKEN | set(flat), known, unrolled=True)


def forward_pass(author: Author, page: Page) -> tuple[list[str], list[dict[str, ast.expr]]]:
    """Write the forward pass, and say where each layer's fields are: the scores are the last one's h."""
    lines, layers, x = list[str](), list[dict[str, ast.expr]](), named("X")
    for k, (between, before, after) in enumerate((("activate", "u", "hidden"), ("output", "outputs", "scores"))):
        W, b = (named(name) for name in author.names[k])
        passing = write(page, author.step(between), [named(before)])
        is_passed_on = isinstance(passing.value, ast.Name) and not passing.statements
        affine, u = put(page, author.step("affine", k), [x, W, b, ast.Constant(k)], after if is_passed_on else before)
        activate, h = put(page, author.step(between), [u], after)
        lines += affine + activate
        layers.append({"k": ast.Constant(k), "x": x, "W": W, "b": b, "u": u, "h": h})
        x = h
    return lines, layers


def loss_method(author: Author) -> list[str]:
    """Write loss()."""
    page = loss_page(author)
    forward, layers = forward_pass(author, page)
    backward, loss = _loss_and_gradients(author, page, layers)
    reported = write(page, author.step("report_loss"), [loss, named("grads")])
    scores = write(page, author.step("report_scores"), [layers[-1]["h"]])
    returned = lines_of([*reported.statements, ast.Return(reported.value)])
    count = ["N = len(y)"] if mentions("N", [*backward, *(line.replace("return ", "") for line in returned)]) else []
    return [
        "def loss(self, X, y=None, reg=0.0):",
        *indented(
            [
                *unpacked(author),
                "",
                "# forward pass",
                *forward,
                "",
                "if y is None:",
                *indented(lines_of([*scores.statements, ast.Return(scores.value)])),
                "",
                "# loss",
                *count,
                *backward,
                "",
                *returned,
            ]
        ),
    ]


def _strength(author: Author) -> ast.expr:
    coefficient = author.network.coefficient
    return expression("reg" if coefficient == 1 else f"{coefficient!r} * reg")


def _loss_and_gradients(
    author: Author, page: Page, layers: Sequence[Mapping[str, ast.expr]]
) -> tuple[list[str], ast.expr]:
    y, params, names = named("y"), expression("self.params"), literal(author.names)
    lines, centred = put(page, author.step("centre"), [layers[-1]["h"]], "shifted")
    again = lines if changes(author.step("data_term"), 0) else []
    data, data_loss = put(page, author.step("data_term"), [centred, y], "data_loss")
    lines = [*lines, *data]
    total, penalty = author.step("total"), expression("None")
    if reads(total, 1):
        sum_of_squares = write(page, author.step("penalty_term"), [params, names], "penalty")
        lines += lines_of(sum_of_squares.statements)
        penalty = sum_of_squares.value
    loss = write(page, total, [data_loss, penalty, _strength(author), named("N")], "loss")
    lines += lines_of([*loss.statements, ast.Assign([ast.Name("loss", ast.Store())], loss.value, lineno=1)])
    lines += ["", "# gradients", "grads = {}", *again]

    before, penalties = _penalties(author, page)
    lines += before
    scored, du = put(page, author.step("d_scores"), [centred, y], "dscores")
    lines += scored
    for layer, later in zip(reversed(layers), (None, layers[1]), strict=True):
        if later is not None:
            passed, dh = put(page, author.step("d_input"), [du, later], "dhidden")
            masked, du = put(page, author.step("d_activate"), [dh, layer], "du")
            lines += passed + masked
            kept, du = put(page, author.step("d_hidden"), [du, layer, _strength(author)], "du")
            lines += kept
        lines += _of_layer(author, page, layer, du, penalties)
    return lines, named("loss")


def _of_layer(
    author: Author, page: Page, layer: Mapping[str, ast.expr], du: ast.expr, penalties: Mapping[str, ast.expr]
) -> list[str]:
    """Write the gradients of one layer's weights and bias."""
    position = layer["k"]
    assert isinstance(position, ast.Constant)
    k = int(str(position.value))
    lines: list[str] = []
    total = author.step("d_total", k)
    for name, step in zip(author.names[k], ("d_weights", "d_bias"), strict=True):
        data = write(page, author.step(step, k), [du, layer], "dW" if step == "d_weights" else "db")
        statements, value = data.statements, data.value
        penalty = penalties[name]
        place = ast.Subscript(named("grads"), ast.Constant(name), ast.Store())
        # Nobody adds a regulariser to biases that are free, however it is added to the weights.
        if step == "d_weights" or not is_zeros(penalty):
            both = write(page, total, [value, penalty, _strength(author), named("N"), position])
            if step == "d_bias" and not _keeps_where_zero(total):
                kept = ast.Assign([place], value, lineno=1)
                lines += [*lines_of([*statements, kept]), f"if {ast.unparse(penalty)}.any():".replace("'", '"')]
                both = write(
                    page, total, [expression(f"grads[{name!r}]"), penalty, _strength(author), named("N"), position]
                )
                lines += indented(lines_of([*both.statements, ast.Assign([place], both.value, lineno=1)]))
                continue
            statements, value = [*statements, *both.statements], both.value
        lines += lines_of([*statements, ast.Assign([place], value, lineno=1)])
    return lines


def _keeps_where_zero(total: Step) -> bool:
    """Return whether a gradient stays as it is where the penalty's is zero: no condition need then be written."""
    gradient = np.array([1.0, -2.0])
    return np.array_equal(total(gradient, np.zeros(2), 0.3, 3, 0), gradient)


def _penalties(author: Author, page: Page) -> tuple[list[str], dict[str, ast.expr]]:
    """Return what the penalty's gradient of each parameter is: expressions, or entries of a dict that is made first."""
    step, flat = author.step("d_penalty"), [name for pair in author.names for name in pair]
    found = write(page, step, [expression("self.params"), literal(author.names)], "penalty_grads")
    entries = _entries(found)
    if entries is not None and set(entries) == set(flat):
        return [], entries
    made = ast.Assign([ast.Name("penalty_grads", ast.Store())], found.value, lineno=1)
    lines = lines_of([*found.statements, *([] if ast.unparse(found.value) == "penalty_grads" else [made])])
    return lines, {name: ast.Subscript(named("penalty_grads"), ast.Constant(name), ast.Load()) for name in flat}


def _entries(found: Written) -> dict[str, ast.expr] | None:
    """Return the entries of a dict that is nothing but put together; None where more is done."""
    entries = dict[str, ast.expr]()
    parts = [(part.targets[0], part.value) for part in found.statements if isinstance(part, ast.Assign)]
    if len(parts) < len(found.statements):
        return None
    if isinstance(found.value, ast.Dict):
        parts.append((named("penalty_grads"), found.value))
    for target, value in parts:
        if ast.unparse(target) == "penalty_grads" and isinstance(value, ast.Dict):
            pairs = zip(value.keys, value.values, strict=True)
            entries |= {str(ast.literal_eval(key)): entry for key, entry in pairs if key}
        elif isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Constant):
            entries[str(target.slice.value)] = value
        else:
            return None
    made = any(mentions("penalty_grads", [ast.unparse(entry)]) for entry in entries.values())
    return None if made else entries
