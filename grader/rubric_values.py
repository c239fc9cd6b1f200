"""What each value of an assignment.toml may be."""

import builtins
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from keyword import iskeyword
from typing import Any
from unicodedata import is_normalized

from grader.model import CLASSIC, TAKEN, Tolerances, Variant

DEEPEST = 6  # layers of weights: there is a check for each of their gradients

# What each value may be: a test, and the words for it.
Rule = tuple[Callable[[Any], bool], str]


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < float("inf")


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


LIST: Rule = (lambda v: isinstance(v, list), "a list")
TEXT: Rule = (lambda v: isinstance(v, str) and bool(v.strip()), "a text in quotes")
LINE: Rule = (lambda v: TEXT[0](v) and len(v.splitlines()) == 1, "a text of one line in quotes")
SEED: Rule = (lambda v: _whole(v) and 0 <= v < 2**32, "a whole number from 0 to 4294967295")
COUNT: Rule = (lambda v: _whole(v) and v > 0, "a whole number above 0")
POSITIVE: Rule = (lambda v: _number(v) and v > 0, "a number above 0")
WHOLE: Rule = (lambda v: _whole(v) and v >= 0, "a whole number, 0 or above")
PERCENT: Rule = (lambda v: _number(v) and 0 <= v <= 100, "a number from 0 to 100")
NOT_NEGATIVE: Rule = (lambda v: _number(v) and v >= 0, "a number, 0 or above")
FRACTION: Rule = (lambda v: _number(v) and 0 < v <= 1, "a number above 0 and at most 1")
YES_NO: Rule = (lambda v: isinstance(v, bool), "true or false")
PAIR: Rule = (
    lambda v: isinstance(v, list) and len(v) == 2 and all(map(_number, v)) and v[0] <= v[1],
    "[low, high]: two numbers, the smaller first",
)


def _is_free(name: Any) -> bool:
    """Return whether a parameter may be called so; the programs of deep networks number what is in TAKEN: u1, hidden2."""
    own = isinstance(name, str) and name.isidentifier() and not iskeyword(name) and not hasattr(builtins, name)
    return own and name.rstrip("0123456789") not in TAKEN


NAMES: Rule = (
    lambda v: (
        isinstance(v, list)
        and len(v) in range(2, 2 * DEEPEST + 1, 2)
        and all(map(_is_free, v))
        and len(set(v)) == len(v)
    ),
    f"different names, weights and bias of each layer in turn, for {DEEPEST} layers at most; none of {', '.join(sorted(TAKEN))}, with a number or without, nor one of Python's own",
)
# What the lesson's class and cells call something else, beside TAKEN.
OF_LESSON = frozenset([
    "params", "names", "forward", "backward", "softmax_loss", "svm_loss", "sigmoid_loss", "best_hyperparameters",
    "L", "W", "X_test", "X_toy", "X_train", "X_val", "accuracy_with", "and_h", "b", "best", "can_draw", "centred", "checked",
    "chosen", "compare", "dL_dW", "dL_dy", "dW", "dh", "draw_images", "dx", "dy", "figure", "get_ipython", "hidden_size",
    "i", "images", "is_trained", "known", "labels", "learning_rate", "left", "m", "measure_slopes", "most", "name", "net",
    "nor_h", "nothing", "num_iters", "or_h", "order", "plt", "right", "said", "settings", "stats", "still_to_write",
    "stored", "table", "titles", "toy_data", "toy_net", "tried", "unit", "units", "w", "wrong", "x", "xnor_h", "y_test",
    "y_toy", "y_train", "y_val",
])  # fmt: skip
METHODS: Rule = (
    lambda v: isinstance(v, dict) and all(key in vars(CLASSIC) and isinstance(name, str) for key, name in v.items()),
    'names of methods: { loss = "...", train = "...", predict = "..." }, of which each may be left out',
)


def refuse_methods(own: Mapping[str, str], parameters: Iterable[str], class_name: str) -> str:
    """Return why the three methods may not be called so; "" where they may."""
    taken = dict.fromkeys(TAKEN | OF_LESSON, "the lesson calls something else so")
    taken |= dict.fromkeys(parameters, "a parameter has this name") | {class_name: "the class has this name"}
    for method, name in own.items():
        # Python reads other forms of letters as the usual ones: a method that is written with a ligature has none.
        if not name.isidentifier() or iskeyword(name) or name.startswith("_") or not is_normalized("NFKC", name):
            return f"{method} is called {name!r}, which is no name of a public method. Write one such as compute_loss."
        if name != method and (name in vars(CLASSIC) or hasattr(builtins, name)):
            return f"{method} is called {name!r}, which is the name of something else. Choose another."
        if name != method and name in taken:
            return f"{method} is called {name!r}, but {taken[name]}. Choose another."
        if list(own.values()).count(name) > 1:
            return f"two methods are called {name!r}. Choose different names."
    return ""


# 0 and 1 are other networks, and nearer to either the answers hardly differ from those.
SLOPE: Rule = (
    lambda v: _number(v) and 0.001 <= v <= 0.9,
    "a number from 0.001 to 0.9: 0 is the ReLU, and 1 leaves the network linear",
)
ALPHA: Rule = (
    lambda v: _number(v) and 0.05 <= v <= 20,
    "a number from 0.05 to 20: 0 is the ReLU, and below 0 the unit rises to the left",
)
# Beyond 5 nearly every wrong class costs something, and the max(0, ...) cannot be told from none.
MARGIN: Rule = (
    lambda v: _number(v) and 0.05 <= v <= 5,
    "a number from 0.05 to 5: at 0 and below equal scores cost nothing; far above, a missing max(0, ...) is not seen",
)

# Beyond these the right network itself does not learn the digits, so that no training tells a right program from a wrong one.
DEEPEST_SIGMOID, STEEPEST_DEEP_ELU = 4, 2


def what_hinders(variant: Variant) -> tuple[str, str]:
    """Return the key of what a network of so many layers does not learn with, and why with the mend; two empty texts if none."""
    if variant.activation == "sigmoid" and variant.depth > DEEPEST_SIGMOID:
        text = f"sigmoid units let too little of the gradient through {variant.depth} layers: the right network does not learn"
        return "activation", f"{text}. Choose at most {DEEPEST_SIGMOID} layers, or another activation."
    if variant.activation == "elu" and variant.depth > 2 and variant.alpha > STEEPEST_DEEP_ELU:
        text = f"alpha is {variant.alpha:g}: through {variant.depth} layers gradients grow beyond all bounds"
        return "alpha", f"{text}. Choose {STEEPEST_DEEP_ELU} at most, or two layers."
    return "", ""


def sizes_of(depth: int) -> Rule:
    """Return what the cases' sizes may be where the network has so many layers."""
    letters = ", ".join(["N", "D", *(["H"] if depth == 2 else [f"H{k}" for k in range(1, depth)]), "C"])
    return (
        lambda v: (
            isinstance(v, list)
            and len(v) >= 2
            and all(isinstance(s, list) and len(s) == depth + 2 and all(_whole(n) and n > 1 for n in s) for s in v)
            and all(len(set(s)) == len(s) and 3 <= s[-1] < s[0] for s in v)
        ),
        f"at least two cases [{letters}] of different whole numbers above 1, 3 <= C < N: each class needs a row",
    )


REGS: Rule = (
    lambda v: isinstance(v, list) and all(map(_number, v)) and 0 in v and len(set(v)) >= 3 and min(v) >= 0,
    "at least three different numbers, 0 among them and none below it",
)


def _one_of(*choices: str) -> Rule:
    return (lambda v: v in choices, "one of " + ", ".join(f'"{choice}"' for choice in choices))


# What a class may be spread over: "either" would accept two of the others.
CHOICES = {
    "activation": ("relu", "leaky_relu", "sigmoid", "tanh", "elu", "maxout"),
    "loss": ("softmax", "svm", "sigmoid"),
    "regulariser": ("half", "full", "every"),
}
RULES: Mapping[str, Mapping[str, Rule]] = {
    "": {"title": LINE, "class_name": TEXT, "notebook": TEXT, "seed": SEED},
    "variant": {
        "activation": _one_of(*CHOICES["activation"]),
        "loss": _one_of(*CHOICES["loss"]),
        "regulariser": _one_of("half", "full", "either", "every"),
        "names": NAMES,
        "slope": SLOPE,
        "alpha": ALPHA,
        "margin": MARGIN,
        "methods": METHODS,
    },
    "probes": {"sizes": LIST, "regs": REGS, "biases": NOT_NEGATIVE},
    "tolerances": {f.name: POSITIVE for f in fields(Tolerances)},
    "limits": {
        "load_seconds": POSITIVE,
        "call_seconds": POSITIVE,
        "train_seconds": POSITIVE,
        "total_seconds": POSITIVE,
        "memory_mb": COUNT,
        "printed_characters": COUNT,
    },
    "digits": {
        "hidden_size": COUNT,
        "initial_std": POSITIVE,
        "learning_rate": POSITIVE,
        "learning_rate_decay": FRACTION,
        "reg": NOT_NEGATIVE,
        "num_iters": COUNT,
        "batch_size": COUNT,
        "threshold": FRACTION,
        "tuned_threshold": FRACTION,
        "calibration": TEXT,
    },
    "hyperparameters": dict.fromkeys(
        ("hidden_size", "learning_rate", "learning_rate_decay", "reg", "num_iters", "batch_size"), PAIR
    ),
    "late": {
        "free_days": WHOLE,
        "percent_a_day": PERCENT,
        "of": _one_of("maximum", "earned"),
        "lowest_percent": PERCENT,
    },
    "rules": {"backpropagation": _one_of("any", "required")},
}
OPTIONAL = frozenset({"late", "rules", "methods"})
# Numbers that one choice of [variant] has: what is chosen, and where. Without the key the lectures' number holds.
NUMBER_OF = {"slope": ("activation", "leaky_relu"), "alpha": ("activation", "elu"), "margin": ("loss", "svm")}
CHECK_RULES: Mapping[str, Rule] = {"id": TEXT, "points": POSITIVE, "hidden": YES_NO}
