"""A network, right or wrong, as a file that a student would hand in.

The class is always the same: an expression for each step of the right network, and lines repeated for each layer. A step
that is another one becomes a function above the class, from its own source, and its expression a call of that. The program
answers as `reference.simulate.perform` does.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from string import Template

from grader.model import CLASSIC, Methods
from reference.catalogue import LECTURES, PER_LAYER, Form, wrong_network
from reference.network import Network, build
from reference.regularisers import Names
from reference.settings import CLASSIC_STD, tuned_settings
from reference.step_source import Step, write_functions

NAMES: Names = (("W1", "b1"), ("W2", "b2"))
BEST = tuned_settings(LECTURES)
RIGHT = {name: step for name, step in vars(build()).items() if callable(step)}  # the steps that EXPRESSIONS write
ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth")
OF_A_LAYER = frozenset({"d_input", "d_activate", "d_hidden", "d_weights", "d_bias"})  # those that are given a Layer

# Lines that end in "#* WHERE" are repeated for layers: _k stands for a layer's number, _j for that of the next, _n for the
# last. A line that ends in "#+ a" is there where a is a function, one that ends in "#- a" where it is none.
LAYERS: Mapping[str, Callable[[int], Sequence[int]]] = {
    "": lambda _depth: (0,),
    "each": lambda depth: range(1, depth + 1),
    "hidden": lambda depth: range(1, depth),
    "back": lambda depth: range(depth - 1, 0, -1),
}
CLASS = """\
class $class_name:
    def __init__(self, input_size, ${hidden_sizes}output_size, std=$std):
        self.params = {}
        self.params["$W_k"] = std * np.random.randn(${maps_k}$rows_k, $columns_k)#* each
        self.params["$b_k"] = np.zeros($bias_shape_k)#* each

    def loss(self, X, y=None, reg=0.0):
        $W_k, $b_k = self.params["$W_k"], self.params["$b_k"]#* each
        $u_k = $affine_k#* hidden
        $hidden_k = $activate_k#* hidden
        scores = $affine_n#- output
        outputs = $affine_n#+ output
        scores = $output#+ output
        if y is None:
            return $report_scores

        N = len(y)
        shifted = $centre
        data_loss = $data_term
        loss = $total

        $layer_k = Layer($index_k, $x_k, $W_k, $b_k, $outputs_k, $hidden_k)#* each#+ layers
        grads = {}
        penalty_grads = $d_penalty#+ d_penalty
        dscores = np.exp(shifted)#- d_scores
        dscores /= dscores.sum(axis=1, keepdims=True)#- d_scores
        dscores[np.arange(N), y] -= 1#- d_scores
        dscores /= N#- d_scores
        dscores = $d_scores#+ d_scores
        grads["$W_n"] = $d_total_n
        grads["$b_n"] = $d_bias_n
        if grads["$b_n"] is not None and penalty_grads["$b_n"].any():#+ d_penalty
            grads["$b_n"] = $d_total_of_bias_n#+ d_penalty
        $dhidden_k = $d_input_k#* back
        $du_k = $d_activate_k#* back
        $du_k = $d_hidden_k#* back#+ d_hidden
        grads["$W_k"] = $d_total_k#* back
        grads["$b_k"] = $d_bias_k#* back
        if grads["$b_k"] is not None and penalty_grads["$b_k"].any():#* back#+ d_penalty
            grads["$b_k"] = $d_total_of_bias_k#* back#+ d_penalty
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
            $W_k, $b_k = self.params["$W_k"], self.params["$b_k"]#* each#+ report_scores
            $u_k = $affine_k#* hidden#+ report_scores
            $hidden_k = $activate_k#* hidden#+ report_scores
            outputs = $affine_n#+ report_scores
            return $output#+ report_scores
        scores = $predict_scores
        return $label
"""
# What a step is where it is right, and what it is given where it is a function; the first ones once in each layer.
OF_LAYERS = {
    "affine_k": ("$x_k @ $W_k + $b_k", "$x_k, $W_k, $b_k, $index_k"),
    "activate_k": ("np.maximum($u_k, 0)", "$u_k"),
    "d_input_k": ("$du_j @ $W_j.T", "$du_j, $layer_j"),
    "d_activate_k": ("$dhidden_k * ($u_k > 0)", "$dhidden_k, $layer_k"),
    "d_hidden_k": ("", "$du_k, $layer_k, $strength"),
    "d_weights_k": ("$x_k.T @ $du_k", "$du_k, $layer_k"),
    "d_bias_k": ("$du_k.sum(axis=0)", "$du_k, $layer_k"),
    "d_total_k": ("$d_weights_k + $penalty_k", "$d_weights_k, $penalty_of_W_k, $strength, N, $index_k"),
}
EXPRESSIONS = {
    "output": ("outputs", "outputs"),
    "report_scores": ("scores", "scores"),
    "centre": ("scores - scores.max(axis=1, keepdims=True)", "scores"),
    "data_term": ("(np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(N), y]).sum() / N", "shifted.copy(), y"),
    "penalty_term": ("$squares", "self.params, $names"),
    "total": ("data_loss + $strength * $penalty_term", "data_loss, $penalty_term, $strength, N"),
    "report_loss": ("loss, grads", "loss, grads"),
    "d_scores": ("", "shifted, y"),
    "d_penalty": ("", "self.params, $names"),
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
    methods: Methods = CLASSIC,
    best: Mapping[str, float] = BEST,
    std: float = CLASSIC_STD,
) -> str:
    """Return the source of a program that is `network` with these mistakes: one file, numpy alone.

    network : the right one. names : what its parameters are called, layer by layer; methods : and its methods. std : of its first weights.
    Raises ValueError where two mistakes replace the same step, and TypeError on a step that is no plain function.
    """
    wrong_network(network, mistakes)
    functions = _functions(network, mistakes)
    flags = {_without_number(name) for name in functions}
    flags |= {"layers"} if flags & OF_A_LAYER else set()
    flags |= set() if "decay" in flags else {"decay_apart" if "is_epoch" in flags else "decay_in_epoch"}
    lines = [line.partition("#") for line in _lines_of_class(network.depth)]
    text = "\n".join(line for line, _, when in lines if not when or (when[0] == "+") == (when[2:] in flags))
    fields = {"class_name": class_name, "std": f"{std:g}", **_fields(network, names, functions)}
    while "$" in text:  # what a field stands for holds others
        text = Template(text).substitute(fields)
    text = re.sub(r"(?<=def )\w+(?=\()|(?<=self\.)\w+", lambda found: vars(methods).get(found[0], found[0]), text)
    head = "import numpy as np"
    if "layers" in flags:
        head = f'from collections import namedtuple\n\n{head}\n\n\nLayer = namedtuple("Layer", "k x W b u h")'
    chosen = "".join(f"    {name}={value!r},\n" for name, value in best.items())
    numbers = f"best_hyperparameters = dict(\n{chosen})\n"
    return "\n\n\n".join([head, *write_functions(functions), text, numbers])


def _lines_of_class(depth: int) -> Iterator[str]:
    """Yield the lines of the class, those of layers once for each."""
    for where, lines in groupby(CLASS.splitlines(), lambda line: line.partition("#* ")[2].partition("#")[0]):
        block = [line.replace(f"#* {where}", "") for line in lines]
        for k in LAYERS[where](depth):
            yield from (_in_layer(line, k, depth) for line in block)


def _in_layer(text: str, k: int, depth: int) -> str:
    """Return a text with the numbers of this layer, the next one and the last."""
    numbers = {"k": k, "j": k + 1, "n": depth}
    return re.sub(r"_([kjn])\b", lambda found: f"_{numbers[found[1]]}", text)


def _without_number(name: str) -> str:
    return re.sub(r"_\d$", "", name)


def _functions(network: Network, mistakes: Sequence[Form]) -> dict[str, Step]:
    """Return the steps that differ from those of the class's own lines; "affine_2" is one of the second layer alone."""
    steps = {name: [step] * network.depth for name, step in vars(network).items() if callable(step)}
    for form in mistakes:
        for key, wrong in form.steps.items():
            name, _, layer = key.partition("@")
            chosen = int(layer) if layer else form.layer
            everywhere = chosen is None or name not in PER_LAYER
            steps[name] = [wrong if everywhere or k == chosen else step for k, step in enumerate(steps[name])]
    found: dict[str, Step] = {}
    for name, of_layers in steps.items():
        if all(step is of_layers[0] for step in of_layers):
            found |= {} if of_layers[0] is RIGHT[name] and network.maps == 1 else {name: of_layers[0]}
        else:
            numbered = {f"{name}_{k}": step for k, step in enumerate(of_layers, start=1)}
            found |= {key: step for key, step in numbered.items() if step is not RIGHT[name] or network.maps > 1}
    return found


def _fields(network: Network, names: Names, functions: Mapping[str, Step]) -> dict[str, str]:
    """Return what each field of the class stands for, in which other fields may stand."""
    strength = "reg" if network.coefficient == 1 else f"{network.coefficient!r} * reg"
    squares = " + ".join(f"np.sum({weights} ** 2)" for weights, _ in names)
    fields = {"names": repr(names).replace("'", '"'), "strength": strength}
    fields["squares"] = f"({squares})" if network.depth > 1 else squares
    fields["outputs"] = "outputs" if "output" in functions else "scores"
    fields["star"] = "*" if "loss_arguments" in functions else ""
    fields["forward"] = "forward" if "report_scores" in functions else "self.loss"
    fields["hidden_sizes"] = {1: "", 2: "hidden_size, "}.get(network.depth, "hidden_sizes, ")
    for key, (right, given) in EXPRESSIONS.items():
        fields[key] = f"{key}({given})" if key in functions else right
    for k, layer in enumerate(names, start=1):
        fields |= _fields_of_layer(network, k, layer, functions)
        for key, (right, given) in OF_LAYERS.items():
            base, numbered = key.removesuffix("_k"), f"{key.removesuffix('_k')}_{k}"
            name = next((name for name in (numbered, base) if name in functions), None)
            fields[numbered] = _in_layer(f"{name}({given})" if name else right, k, network.depth)
    return fields


def _fields_of_layer(network: Network, k: int, layer: tuple[str, str], functions: Mapping[str, Step]) -> dict[str, str]:
    """Return what the names of layer k stand for, and the regulariser's part of its gradients."""
    (W, b), last, own = layer, k == network.depth, "d_penalty" not in functions
    number = "" if network.depth == 2 else str(k)
    strength, penalty = "$strength", f'penalty_grads["{b}"]'
    total = next((name for name in (f"d_total_{k}", "d_total") if name in functions), None)
    given = f'grads["{b}"], {penalty}, {strength}, N, {k - 1}'
    size = "hidden_size" if network.depth == 2 else "hidden_sizes[{}]"
    of_layer = {
        "W": W,
        "b": b,
        "index": str(k - 1),
        "layer": ORDINALS[k - 1],
        "maps": f"{network.maps}, " if network.maps > 1 and not last else "",
        "rows": "input_size" if k == 1 else size.format(k - 2),
        "bias_shape": "output_size" if last else f"(${{maps_{k}}}$columns_{k},)",
        "columns": "output_size" if last else size.format(k - 1),
        "x": "X" if k == 1 else f"$hidden_{k - 1}",
        "u": f"u{number}",
        "outputs": "$outputs" if last else f"$u_{k}",
        "hidden": "scores" if last else f"hidden{number}",
        "dhidden": f"dhidden{number}",
        "du": "dscores" if last else f"du{number}",
        "penalty_of_W": f"2 * {W}" if own else f'penalty_grads["{W}"]',
        "penalty": f"{2 * network.coefficient:g} * reg * {W}" if own else f"{strength} * $penalty_of_W_{k}",
        "d_total_of_bias": f"{total}({given})" if total else f'grads["{b}"] + {strength} * {penalty}',
    }
    return {f"{name}_{k}": text for name, text in of_layer.items()}
