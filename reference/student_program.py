"""A network, right or wrong, as a file that a student would hand in.

The class is always the same: an expression for each step of the right network. A step that is another one becomes a function
above the class, from its own source, and its expression a call of that. The program answers as `reference.simulate.perform` does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from string import Template

from reference.catalogue import PER_LAYER, Form, wrong_network
from reference.network import Network, build
from reference.regularisers import Names
from reference.step_source import Step, write_functions

NAMES: Names = (("W1", "b1"), ("W2", "b2"))
BEST = {
    "hidden_size": 32, "learning_rate": 1.0, "learning_rate_decay": 0.97, "reg": 1e-3, "num_iters": 330, "batch_size": 50,
}  # fmt: skip
RIGHT = {name: step for name, step in vars(build()).items() if callable(step)}  # the steps that EXPRESSIONS write
OF_A_LAYER = frozenset({"d_input", "d_activate", "d_hidden", "d_weights", "d_bias"})  # those that are given a Layer

# A line that ends in "#+ a" is there where a is a function, one that ends in "#- a" where it is none.
CLASS = """\
class $class_name:
    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        self.params = {}
        self.params["$W1"] = std * np.random.randn(${maps}input_size, hidden_size)
        self.params["$b1"] = np.zeros((${maps}hidden_size,))
        self.params["$W2"] = std * np.random.randn(hidden_size, output_size)
        self.params["$b2"] = np.zeros(output_size)

    def loss(self, X, y=None, reg=0.0):
        $W1, $b1 = self.params["$W1"], self.params["$b1"]
        $W2, $b2 = self.params["$W2"], self.params["$b2"]
        u = $affine_1
        hidden = $activate
        scores = $affine_2#- output
        outputs = $affine_2#+ output
        scores = $output#+ output
        if y is None:
            return $report_scores

        N = len(y)
        shifted = $centre
        data_loss = $data_term
        loss = $total

        first = Layer(0, X, $W1, $b1, u, hidden)#+ layers
        second = Layer(1, hidden, $W2, $b2, $outputs, scores)#+ layers
        grads = {}
        penalty_grads = $d_penalty#+ d_penalty
        dscores = np.exp(shifted)#- d_scores
        dscores /= dscores.sum(axis=1, keepdims=True)#- d_scores
        dscores[np.arange(N), y] -= 1#- d_scores
        dscores /= N#- d_scores
        dscores = $d_scores#+ d_scores
        grads["$W2"] = $d_total_2
        grads["$b2"] = $d_bias_2
        if penalty_grads["$b2"].any():#+ d_penalty
            grads["$b2"] = $d_total_of_bias_2#+ d_penalty
        dhidden = $d_input
        du = $d_activate
        du = $d_hidden#+ d_hidden
        grads["$W1"] = $d_total_1
        grads["$b1"] = $d_bias_1
        if penalty_grads["$b1"].any():#+ d_penalty
            grads["$b1"] = $d_total_of_bias_1#+ d_penalty
        return $report_loss

    def train(self, X, y, X_val, y_val, learning_rate=1e-3, learning_rate_decay=0.95, reg=5e-6,
              num_iters=100, batch_size=200, verbose=False):
        num_train = X.shape[0]
        per_epoch = $iterations_per_epoch
        loss_history, train_acc_history, val_acc_history = [], [], []
        self.params = $begin#+ begin
        memory = {}#+ update
        for it in range($iterations):
            indices = np.random.choice(num_train, $rows_drawn)#- draw_batch
            X_batch = X[indices]#- draw_batch
            y_batch = y[indices]#- draw_batch
            X_batch, y_batch = $draw_batch#+ draw_batch
            loss, grads = self.loss(${star}$loss_arguments)#- report_loss
            parts = self.loss(${star}$loss_arguments)#+ report_loss
            loss = [part for part in parts if not isinstance(part, dict)][0]#+ report_loss
            grads = [part for part in parts if isinstance(part, dict)][0]#+ report_loss
            loss_history.append(loss)
            for name in self.params:#- update
                self.params[name] = self.params[name] - $step_rate * grads[name]#- update
            self.params = $update#+ update
            if verbose and it % 100 == 0:
                print("iteration", it, "of", num_iters, "loss", loss)
            if $is_epoch:
                train_acc_history.append(np.mean(self.predict(X_batch) == y_batch))
                val_acc_history.append(np.mean(self.predict(X_val) == y_val))
                learning_rate *= learning_rate_decay#+ decay_in_epoch
            if it % per_epoch == 0:#+ decay_apart
                learning_rate *= learning_rate_decay#+ decay_apart
            learning_rate = $decay#+ decay
        return $report_training

    def predict(self, X):
        def forward(X):#+ report_scores
            $W1, $b1 = self.params["$W1"], self.params["$b1"]#+ report_scores
            $W2, $b2 = self.params["$W2"], self.params["$b2"]#+ report_scores
            u = $affine_1#+ report_scores
            hidden = $activate#+ report_scores
            outputs = $affine_2#+ report_scores
            return $output#+ report_scores
        scores = $predict_scores
        return $label
"""
# What a step is where it is right, and what it is given where it is a function.
EXPRESSIONS = {
    "affine_1": ("X @ $W1 + $b1", "X, $W1, $b1, 0"),
    "affine_2": ("hidden @ $W2 + $b2", "hidden, $W2, $b2, 1"),
    "activate": ("np.maximum(u, 0)", "u"),
    "output": ("outputs", "outputs"),
    "report_scores": ("scores", "scores"),
    "centre": ("scores - scores.max(axis=1, keepdims=True)", "scores"),
    "data_term": ("(np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(N), y]).sum() / N", "shifted.copy(), y"),
    "penalty_term": ("(np.sum($W1 ** 2) + np.sum($W2 ** 2))", "self.params, $names"),
    "total": ("data_loss + $strength * $penalty_term", "data_loss, $penalty_term, $strength, N"),
    "report_loss": ("loss, grads", "loss, grads"),
    "d_scores": ("", "shifted, y"),
    "d_input": ("dscores @ $W2.T", "dscores, second"),
    "d_activate": ("dhidden * (u > 0)", "dhidden, first"),
    "d_hidden": ("", "du, first, $strength"),
    "d_weights_1": ("X.T @ du", "du, first"),
    "d_weights_2": ("hidden.T @ dscores", "dscores, second"),
    "d_bias_1": ("du.sum(axis=0)", "du, first"),
    "d_bias_2": ("dscores.sum(axis=0)", "dscores, second"),
    "d_penalty": ("", "self.params, $names"),
    "d_total_1": ("$d_weights_1 + $penalty_1", "$d_weights_1, $penalty_of_W1, $strength, N, 0"),
    "d_total_2": ("$d_weights_2 + $penalty_2", "$d_weights_2, $penalty_of_W2, $strength, N, 1"),
    "begin": ("", "self.params, np.random"),
    "iterations_per_epoch": ("max(num_train // batch_size, 1)", "num_train, batch_size"),
    "iterations": ("num_iters", "num_iters, per_epoch"),
    "rows_drawn": ("batch_size", "batch_size, num_iters, X"),
    "draw_batch": ("", "np.random, X, y, $rows_drawn"),
    "loss_arguments": ("X_batch, y_batch, reg", "X_batch, y_batch, reg"),
    "step_rate": ("learning_rate", "learning_rate, learning_rate_decay"),
    "update": ("", "self.params, grads, $step_rate, $names, memory"),
    "is_epoch": ("it % per_epoch == 0", "it, per_epoch"),
    "decay": ("", "learning_rate, learning_rate_decay, it, per_epoch"),
    "report_training": (
        '{"loss_history": loss_history, "train_acc_history": train_acc_history, "val_acc_history": val_acc_history}',
        "np.array(loss_history), np.array(train_acc_history), np.array(val_acc_history)",
    ),
    "predict_scores": ("$forward(X)", "$forward, self.params, $names, X"),
    "label": ("np.argmax(scores, axis=1)", "scores"),
}


def write_program(
    network: Network,
    mistakes: Sequence[Form] = (),
    *,
    class_name: str = "TwoLayerNet",
    names: Names = NAMES,
    best: Mapping[str, float] = BEST,
) -> str:
    """Return the source of a program that is `network` with these mistakes: one file, numpy alone.

    network : the right one, of two layers. names : what its parameters are called.
    Raises ValueError where two mistakes replace the same step, and TypeError on a step that is no plain function.
    """
    if network.depth != 2:
        raise ValueError(f"the program has two layers, the network {network.depth}")
    wrong_network(network, mistakes)
    functions = _functions(network, mistakes)
    flags = {name.removesuffix("_1").removesuffix("_2") for name in functions}
    flags |= {"layers"} if flags & OF_A_LAYER else set()
    flags |= set() if "decay" in flags else {"decay_apart" if "is_epoch" in flags else "decay_in_epoch"}
    lines = [line.partition("#") for line in CLASS.splitlines()]
    text = "\n".join(line for line, _, when in lines if not when or (when[0] == "+") == (when[2:] in flags))
    fields = {"class_name": class_name, **_fields(network, names, functions)}
    while "$" in text:  # what a field stands for holds others
        text = Template(text).substitute(fields)
    head = "import numpy as np"
    if "layers" in flags:
        head = f'from collections import namedtuple\n\n{head}\n\n\nLayer = namedtuple("Layer", "k x W b u h")'
    chosen = "".join(f"    {name}={value!r},\n" for name, value in best.items())
    numbers = f"best_hyperparameters = dict(\n{chosen})\n"
    return "\n\n\n".join([head, *write_functions(functions), text, numbers])


def _functions(network: Network, mistakes: Sequence[Form]) -> dict[str, Step]:
    """Return the steps that differ from those of the class's own lines; "affine_2" is one of the second layer alone."""
    steps = {name: (step, step) for name, step in vars(network).items() if callable(step)}
    for form in mistakes:
        for key, wrong in form.steps.items():
            name, _, layer = key.partition("@")
            k = int(layer) if layer else form.layer
            first, second = steps[name]
            steps[name] = (
                (first if k == 1 else wrong, second if k == 0 else wrong) if name in PER_LAYER else (wrong, wrong)
            )
    found: dict[str, Step] = {}
    for name, (first, second) in steps.items():
        if first is second:
            found |= {} if first is RIGHT[name] and network.maps == 1 else {name: first}
        else:
            pair = {f"{name}_1": first, f"{name}_2": second}
            found |= {key: step for key, step in pair.items() if step is not RIGHT[name] or network.maps > 1}
    return found


def _fields(network: Network, names: Names, functions: Mapping[str, Step]) -> dict[str, str]:
    """Return what each field of the class stands for, in which other fields may stand."""
    own = "d_penalty" not in functions
    strength = "reg" if network.coefficient == 1 else f"{network.coefficient!r} * reg"
    fields = {"names": repr(names).replace("'", '"'), "strength": strength}
    fields["maps"] = "" if network.maps == 1 else f"{network.maps}, "
    fields["outputs"] = "outputs" if "output" in functions else "scores"
    fields["star"] = "*" if "loss_arguments" in functions else ""
    fields["forward"] = "forward" if "report_scores" in functions else "self.loss"
    for key, (right, given) in EXPRESSIONS.items():
        base = key.removesuffix("_1").removesuffix("_2")
        name = next((name for name in (key, base) if name in functions), None)
        fields[key] = f"{name}({given})" if name else right
    for k, (W, b) in enumerate(names, start=1):
        fields[f"W{k}"], fields[f"b{k}"] = W, b
        total = next((name for name in (f"d_total_{k}", "d_total") if name in functions), None)
        penalty = f'penalty_grads["{b}"]'
        fields[f"penalty_of_W{k}"] = f"2 * {W}" if own else f'penalty_grads["{W}"]'
        fields[f"penalty_{k}"] = f"{2 * network.coefficient:g} * reg * {W}" if own else f"{strength} * $penalty_of_W{k}"
        given = f'grads["{b}"], {penalty}, {strength}, N, {k - 1}'
        fields[f"d_total_of_bias_{k}"] = f"{total}({given})" if total else f'grads["{b}"] + {strength} * {penalty}'
    return fields
