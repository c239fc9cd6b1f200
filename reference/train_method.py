"""The train() of a network that is written out."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from reference.author import Author, Step, indented, lines_of, mentions, named, put
from reference.inlining import Argument, Page, expression, literal, plain, reads, write
from reference.network import loss_and_gradients
from reference.sgd import begin

# What means something in train(): its arguments, and what it works with.
ARGUMENTS = (
    *("X", "y", "X_val", "y_val", "learning_rate=1e-3", "learning_rate_decay=0.95", "reg=5e-6", "num_iters=100"),
    *("batch_size=200", "verbose=False"),
)
TAKEN = frozenset(argument.partition("=")[0] for argument in ARGUMENTS) | {
    *("self", "np", "num_train", "iterations_per_epoch", "it", "loss", "grads", "X_batch", "y_batch", "memory"),
    *("loss_history", "train_acc_history", "val_acc_history"),
}


def train_method(author: Author) -> list[str]:
    """Write train()."""
    page = author.page(TAKEN, {"len(X)": "num_train"}, unrolled=False)
    per_epoch, value = put(
        page, author.step("iterations_per_epoch"), [expression("len(X)"), named("batch_size")], "iterations_per_epoch"
    )
    # The network copies its parameters; a program's are its own.
    start, started = author.step("begin"), list[str]()
    if start is not begin:
        started = _renewed(page, start, [expression("self.params"), expression("np.random")])
    count = write(page, author.step("iterations"), [named("num_iters"), value])
    kept = [named(f"{name}_history") for name in ("loss", "train_acc", "val_acc")]
    report = write(page, author.step("report_training"), kept)
    memory = ["memory = {}"] if reads(author.step("update"), 4) else []
    loop = [
        *lines_of(count.statements),
        f"for it in range({ast.unparse(count.value)}):",
        *indented(_iteration(author, page, value)),
        "",
        *lines_of([*report.statements, ast.Return(report.value)]),
    ]
    inner = [*started, "", *loop]
    if mentions("iterations_per_epoch", _callable(inner)):
        inner = [*per_epoch, *_histories(memory), *inner]
    else:
        inner = [*_histories(memory), *inner]
    if mentions("num_train", _callable(inner)):
        inner = ["num_train = X.shape[0]", *inner]
    return [
        "def train(",
        *(f"    {argument}," for argument in ("self", *ARGUMENTS)),
        "):",
        *indented(inner),
    ]


def _histories(memory: list[str]) -> list[str]:
    return ["", "loss_history = []", "train_acc_history = []", "val_acc_history = []", *memory]


def _callable(lines: Sequence[str]) -> list[str]:
    return ["def method():", *indented(lines)]


def _iteration(author: Author, page: Page, per_epoch: ast.expr) -> list[str]:
    """Write what is done in each iteration: draw, ask for the loss, step, keep, decay."""
    X, y, reg = named("X"), named("y"), named("reg")
    # A step's own X_batch and y_batch become these two.
    free = Page(page.facts, page.taken - {"X_batch", "y_batch"}, page.found)
    rows = write(page, author.step("rows_drawn"), [named("batch_size"), named("num_iters"), X])
    batch = write(free, author.step("draw_batch"), [expression("np.random"), X, y, rows.value])
    drawn = [*lines_of(rows.statements), *_drawn(batch.statements, batch.value)]
    asked = write(page, author.step("loss_arguments"), [named("X_batch"), named("y_batch"), reg])
    if not isinstance(asked.value, ast.Tuple):
        raise TypeError("what train() asks loss() cannot be written out: expected X, y and reg")
    arguments = ", ".join(lines_of([ast.Expr(argument)])[0] for argument in asked.value.elts)
    rate = write(page, author.step("step_rate"), [named("learning_rate"), named("learning_rate_decay")])
    given = [expression("self.params"), named("grads"), rate.value, literal(author.names), named("memory")]
    return [
        "# the batch",
        *drawn,
        "",
        *lines_of(asked.statements),
        f"{_loss_targets(author)} = self.loss({arguments})",
        "loss_history.append(loss)",
        "",
        *lines_of(rate.statements),
        *_renewed(page, author.step("update"), given),
        "",
        "if verbose and it % 100 == 0:",
        '    print(f"iteration {it} of {num_iters}: loss {loss}")',
        "",
        *_epoch(author, page, per_epoch),
    ]


def _drawn(statements: Sequence[ast.stmt], value: ast.expr) -> list[str]:
    """Write the batch's two parts one by one, but together where the second is made of what the first replaces."""
    parts = value.elts if isinstance(value, ast.Tuple) else [value]
    if len(parts) != 2 or (mentions("X_batch", [ast.unparse(parts[1])]) and ast.unparse(parts[0]) != "X_batch"):
        return lines_of([*statements, ast.parse(f"X_batch, y_batch = {ast.unparse(value)}").body[0]])
    lines = lines_of(statements)
    for target, part in zip(("X_batch", "y_batch"), parts, strict=True):
        if ast.unparse(part) != target:
            lines += lines_of([ast.Assign([ast.Name(target, ast.Store())], part, lineno=1)])
    return lines


def _renewed(page: Page, step: Step, arguments: Sequence[Argument]) -> list[str]:
    """Write a step that gives the parameters anew: a loop over them, where it is a dict of one expression."""
    found = write(page, step, arguments)
    lines, value = lines_of(found.statements), found.value
    if ast.unparse(value) in {"self.params", "dict(self.params)"}:
        return lines
    if isinstance(value, ast.DictComp) and len(value.generators) == 1:
        loop = value.generators[0]
        target = loop.target
        goes_over = ast.unparse(loop.iter) in {"self.params.items()", "grads.items()"} and not loop.ifs
        if goes_over and isinstance(target, ast.Tuple) and ast.unparse(value.key) == ast.unparse(target.elts[0]):
            place = ast.Subscript(expression("self.params"), value.key, ast.Store())
            body: list[ast.stmt] = [ast.Assign([place], value.value, lineno=1)]
            return lines + lines_of([ast.For(target, loop.iter, body, [], lineno=1)])
    return lines + lines_of([ast.Assign([expression("self.params")], value, lineno=1)])


def _loss_targets(author: Author) -> str:
    """Return how train() takes loss() apart, whatever loss() returns: that mistake is not train()'s."""
    if author.step("report_loss") is loss_and_gradients:
        return "loss, grads"
    definition = plain(author.step("report_loss"))
    names = [argument.arg for argument in definition.args.args]
    returned = definition.body[-1]
    parts = returned.value.elts if isinstance(returned, ast.Return) and isinstance(returned.value, ast.Tuple) else []
    places = [names.index(part.id) if isinstance(part, ast.Name) and part.id in names else 2 for part in parts]
    if not {0, 1} <= set(places):
        raise ValueError("what loss() returns cannot be written out: neither the loss nor the gradients may be missing")
    first = [place if places.index(place) == index else 2 for index, place in enumerate(places)]
    return ", ".join(("loss", "grads", "_")[place] for place in first)


def _epoch(author: Author, page: Page, per_epoch: ast.expr) -> list[str]:
    """Write what is kept once an epoch, and the decay: together where they come at the same time."""
    it, rate = named("it"), named("learning_rate")
    when = write(page, author.step("is_epoch"), [it, per_epoch])
    decay, value = put(page, author.step("decay"), [rate, named("learning_rate_decay"), it, per_epoch], "learning_rate")
    if ast.unparse(value) != "learning_rate":
        decay = [*decay, f"learning_rate = {ast.unparse(value)}"]
    kept = [
        "train_acc_history.append(np.mean(self.predict(X_batch) == y_batch))",
        "val_acc_history.append(np.mean(self.predict(X_val) == y_val))",
    ]
    if isinstance(when.value, ast.Constant):
        return [*lines_of(when.statements), *(kept if when.value.value else []), *decay]
    condition = f"if {ast.unparse(when.value)}:"
    if decay[:1] == [condition]:
        return [*lines_of(when.statements), condition, *indented(kept), *decay[1:]]
    return [*lines_of(when.statements), condition, *indented(kept), *decay]
