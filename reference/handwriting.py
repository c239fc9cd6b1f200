"""A network, right or wrong, written out as the file that a student would hand in.

Every step is written where it is used, under the names that it has there, so that a wrong step becomes a wrong line.
The program answers as `reference.simulate.perform` does for that network.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence

from reference.author import Author, Step, indented, lines_of, named, put, spaced
from reference.catalogue import LAYERED, Way, wrong_network
from reference.inlining import expression, helpers, literal, reads
from reference.loss_method import forward_pass, loss_method, loss_page, unpacked
from reference.network import Network, unchanged
from reference.regularisers import Names
from reference.simplifying import Facts
from reference.train_method import train_method

NAMES: Names = (("W1", "b1"), ("W2", "b2"))
BEST = {
    "hidden_size": 32,
    "learning_rate": 1.0,
    "learning_rate_decay": 0.97,
    "reg": 1e-3,
    "num_iters": 330,
    "batch_size": 50,
}


def written(
    network: Network,
    mistakes: Sequence[Way] = (),
    *,
    class_name: str = "TwoLayerNet",
    names: Names = NAMES,
    best: Mapping[str, float] | None = None,
) -> str:
    """Return the source of a program that is `network` with these mistakes: one file, numpy alone.

    network : the right one, of two layers. names : what its parameters are called. best : BEST where None.
    Raises ValueError where two mistakes replace the same step, and on a step that cannot be written out.
    """
    if network.depth != 2:
        raise ValueError(f"the program has two layers, the network {network.depth}")
    wrong_network(network, mistakes)
    author = Author(network, names, _steps(network, mistakes), {})
    methods = [_constructor(author), loss_method(author), train_method(author), _predict(author)]
    facts = Facts(names, author.single, {}, unrolled=False)
    top = "\n".join(
        ("\n\n" if isinstance(node, ast.FunctionDef) else "") + "\n".join(lines_of([node]))
        for node in helpers(facts, author.found)
    )
    chosen = "".join(f"    {name}={value!r},\n" for name, value in (BEST if best is None else best).items())
    body = "\n\n".join("\n".join(indented(spaced(method))) for method in methods)
    parts = ["import numpy as np", *([top.strip("\n")] if top else []), f"class {class_name}:\n{body}"]
    return "\n\n\n".join(parts) + f"\n\n\nbest_hyperparameters = dict(\n{chosen})\n"


def _steps(network: Network, mistakes: Sequence[Way]) -> dict[str, Step]:
    right = {name: value for name, value in vars(network).items() if callable(value)}
    steps = {
        key: step for name, step in right.items() for key in ([f"{name}@0", f"{name}@1"] if name in LAYERED else [name])
    }
    for way in mistakes:
        for key, wrong in way.steps.items():
            name, _, layer = key.partition("@")
            if name not in LAYERED:
                steps[name] = wrong
                continue
            for k in (int(layer),) if layer else (0, 1) if way.layer is None else (way.layer,):
                steps[f"{name}@{k}"] = wrong
    return steps


def _constructor(author: Author) -> list[str]:
    (W1, b1), (W2, b2) = author.names
    maps = "" if author.single else f"{author.network.maps}, "
    zeros = "hidden_size" if author.single else f"({maps}hidden_size)"
    return [
        "def __init__(self, input_size, hidden_size, output_size, std=1e-4):",
        "    self.params = {}",
        f'    self.params["{W1}"] = std * np.random.randn({maps}input_size, hidden_size)',
        f'    self.params["{b1}"] = np.zeros({zeros})',
        f'    self.params["{W2}"] = std * np.random.randn(hidden_size, output_size)',
        f'    self.params["{b2}"] = np.zeros(output_size)',
    ]


def _predict(author: Author) -> list[str]:
    lines, forward = list[str](), expression("self.loss")
    scored = author.step("predict_scores")
    if author.step("report_scores") is not unchanged and reads(scored, 0):
        # loss(X) gives something else than the scores: predict() has a forward pass of its own.
        passed, layers = forward_pass(author, loss_page(author))
        lines = [*unpacked(author), *passed]
        forward = ast.Lambda(
            ast.arguments([], [ast.arg("X")], kwonlyargs=[], kw_defaults=[], defaults=[]), layers[-1]["h"]
        )
    page = author.page(frozenset({"self", "np", "X", "scores", "y_pred"}), {}, unrolled=True)
    given = [forward, expression("self.params"), literal(author.names), named("X")]
    found, scores = put(page, scored, given, "scores")
    chosen, labels = put(page, author.step("label"), [scores], "y_pred")
    return ["def predict(self, X):", *indented([*lines, *found, *chosen, f"return {ast.unparse(labels)}"])]
