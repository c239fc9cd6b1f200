"""How the network that an assignment asks for is spoken of, to students and in formulas."""

import re
from collections.abc import Iterable, Mapping
from functools import cache

from grader.model import CLASSIC, Methods, Variant

COUNTS = ("one", "two", "three", "four", "five", "six")  # layers
# Of each activation: its name, h, and what the gradient of h is multiplied by (Lecture 4).
ACTIVATIONS = {
    "relu": ("ReLU", "max(0, u)", "dL/du is that where u > 0, else 0"),
    "leaky_relu": ("leaky ReLU", "max({slope:g} u, u)", "dL/du is that where u > 0, else {slope:g} times that"),
    "sigmoid": ("sigmoid", "1 / (1 + exp(-u))", "dL/du is that times h (1 - h)"),
    "tanh": ("tanh", "tanh(u)", "dL/du is that times 1 - h^2"),
    "elu": (
        "ELU",
        "u where u > 0, else {alpha:g} (exp(u) - 1)",
        "dL/du is that where u > 0, else that times h + {alpha:g}",
    ),
    "maxout": (
        "maxout",
        "max(u1, u2) of two affine maps",
        "dL/du1 is that where u1 is the larger, else 0; so is dL/du2",
    ),
}
# Of each loss: its name, its formula, and its gradient by the scores (COL 865, Lecture 4, derivations).
LOSSES = {
    "softmax": (
        "the softmax's cross-entropy",
        "data loss = 1/N sum_i -log p[i, y_i]",
        "dL/dz = (p - onehot(y)) / N",
    ),
    "svm": (
        "the multiclass SVM's hinge loss",
        "data loss = 1/N sum_i sum_j max(0, z[i, j] - z[i, y_i] + {margin:g}), j not y_i",
        "dL/dz = C / N: C is 1 where a margin is violated, and minus their number at y_i",
    ),
    "sigmoid": (
        "the sigmoid outputs' log-likelihood",
        "data loss = -1/N sum_i (log s[i, y_i] + sum_j log(1 - s[i, j])), j not y_i, s = sigma(z)",
        "dL/dz = (s - onehot(y)) / N, s = sigma(z)",
    ),
}
# What is said of the ReLU in words of its own.
_OF_RELU = {
    "plain": "plain one",
    "does": "makes the hidden values zero or more",
    "take": "cut off at zero",
    "mask": "mask",
    "slope_is": "The slope of the ReLU is 0 or 1.",
}
_OF_OTHERS = {
    "plain": "{act}",
    "does": "applies the {act}",
    "take": "take",
    "mask": "slope",
    "slope_is": "Write down the slope of the {act}.",
}
# What is said of two layers, of a linear classifier and of more layers, of which # is the last, @ all parameters, and ^ the squares.
_OF_DEPTHS = (
    (
        "h = {h}, u = X W1 + b1; z = h W2 + b2",
        "z = X W1 + b1",
        "h = {h}, u = x W + b in each hidden layer; z = h W# + b#",
    ),
    ("h = {h}, u = X W1 + b1", "z = X W1 + b1", "h = {h}, u = x W + b in each hidden layer"),
    (
        "each layer in turn: X W1 + b1, the ReLU (entry by entry), then h W2 + b2",
        "X W1 + b1,",
        "each layer in turn: x W + b, the ReLU (entry by entry), at last h W# + b#",
    ),
    ("both layers, both biases, the ReLU between", "the weights, the bias", "all layers, all biases, the ReLU between"),
    (" (both weight matrices)", "", " (all weight matrices)"),
    ("W2 is changed before", "", "The weights of the next layer are changed before"),
    ("and change W2", "", "and change these weights"),
    ("product with W2", "", "product with the weights of the next layer"),
    ("h W2 + b2", "X W1 + b1", "h W# + b#"),
    ("dL/dz W2^T", "", "dL/dz W#^T"),
    ("sum W1^2 + sum W2^2", "^", "^"),
    ("W1, b1, W2 and b2", "W1 and b1", "@"),
    ("W1, b1, W2, b2", "@", "@"),
    ("the second layer and", "the layer and", "the last layer and"),
    ("the second layer to", "the layer to", "the last layer to"),
    ("the second layer's output", "the layer's output", "the last layer's output"),
    ("scores of the last layer", "scores", "scores of the last layer"),
    ("the first layer's", "the", "the first layer's"),
    ("all four updates", "both updates", "all updates"),
)
_FACTORS = {"half": "1/2 reg", "full": "reg", "every": "reg", "either": "reg"}


@cache
def words_of(variant: Variant) -> Mapping[str, str]:
    """Return the words that a text may hold in braces: {act}, {an_act}, {h}, {du}, {loss}, {data_loss}, {dz} and so on."""
    act, h, du = (part.format(**_numbers(variant)) for part in ACTIVATIONS[variant.activation])
    loss, data_loss, dz = (part.format(**_numbers(variant)) for part in LOSSES[variant.loss])
    squares = "the squares of all parameters" if variant.regulariser == "every" else "(sum W1^2 + sum W2^2)"
    told = ", with or without 1/2" if variant.regulariser == "either" else ""
    return {
        **{name: f"{value:g}" for name, value in _numbers(variant).items()},
        "act": act,
        "an_act": f"{'an' if act[0] == 'E' else 'a'} {act}",
        "An_act": f"{'An' if act[0] == 'E' else 'A'} {act}",
        "another": {"sigmoid": "tanh", "tanh": "a sigmoid"}.get(variant.activation, "a sigmoid or tanh"),
        "h": h,
        "du": du,
        **(
            _OF_RELU
            if variant.activation == "relu"
            else {name: text.format(act=act) for name, text in _OF_OTHERS.items()}
        ),
        "loss": loss,
        "data_loss": data_loss,
        "dz": dz,
        "then": {"softmax": "the softmax", "svm": "the margins", "sigmoid": "the loss"}[variant.loss],
        "regulariser": with_own_names(f"{_FACTORS[variant.regulariser]} {squares}{told}", variant),
    }


def _numbers(variant: Variant) -> dict[str, float]:
    return {"slope": variant.slope, "alpha": variant.alpha, "margin": variant.margin}


def with_own_names(text: str, variant: Variant) -> str:
    """Return a text that speaks of two layers, W1, b1, W2 and b2, as it is said of the variant's depth with its own names."""
    names = dict(zip((f"{one}{k + 1}" for k in range(variant.depth) for one in "Wb"), variant.names, strict=True))
    if variant.depth != 2:
        squares = " + ".join(f"sum {weights}^2" for weights in list(names)[::2])
        for said, *told in _OF_DEPTHS:
            new = told[variant.depth > 2].replace("^", squares) if said.startswith("sum") else told[variant.depth > 2]
            text = text.replace(said, new.replace("#", str(variant.depth)).replace("@", ", ".join(names)))
    text = with_own_methods(text, variant.methods)
    if all(name == own for name, own in names.items()):
        return text
    return re.sub(r"(?<!\w)[Wb]\d(?!\w)", lambda found: names.get(found[0], found[0]), text)


def with_own_methods(text: str, methods: Methods, quoted: Iterable[str] = ()) -> str:
    """Return a text that speaks of loss(), train() and predict() with the assignment's names for them.

    quoted : what a program says itself, which stays as it is.
    """
    if methods == CLASSIC:
        return text
    ours = rf"(?<![\w.])({'|'.join(vars(methods))})(?=\([)X`])"
    kept = [re.escape(one) for one in quoted if re.search(ours, one)]
    return re.sub("|".join([*kept, ours]), lambda found: vars(methods)[found[1]] if found[1] else found[0], text)


# What checks say of the softmax, and what they say of the other losses instead.
_SAID = {
    "the mean cross-entropy of the softmax over the examples": {
        "svm": "the mean of the multiclass SVM's hinge loss over the examples",
        "sigmoid": "the mean of the sigmoid outputs' negative log-likelihood over the examples",
    },
    "Look at the probabilities (each row sums to 1), then at the probability of each row's own class, its -log, and the mean.": {
        "svm": "Look at the margins (each score less the own class's, plus the margin), at max(0, ...), at the own class,"
        " which does not count, and at the mean.",
        "sigmoid": "Look at each score's own sigmoid s, at -log s of the own class and -log(1 - s) of the others, at their sum"
        " in each row, and at the mean over the rows.",
    },
    "Which number can be subtracted from each row of scores before exp without changing its probabilities?": {
        "svm": "Does your loss need exp at all?",
        "sigmoid": "Which formula of log(1 - s) needs no s that has become exactly 1?",
    },
}


def in_words_of(text: str, variant: Variant) -> str:
    """Return what a check says, in words of the assignment's network: checks speak of a ReLU, a softmax, and weights."""
    for said, others in _SAID.items():
        text = text.replace(said, others.get(variant.loss, said))
    if variant.regulariser == "every":
        text = text.replace("(sum W1^2 + sum W2^2)", "times the squares of all parameters")
        text = text.replace("the sum of the squared weights", "the sum of all squared parameters")
        text = text.replace("(both weight matrices)", "(all of them)")
    return with_own_names(text, variant).replace("the ReLU", f"the {ACTIVATIONS[variant.activation][0]}")
