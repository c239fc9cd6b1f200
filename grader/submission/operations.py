"""What an operation makes of its operands, as far as the maths of the two-layer net tells."""

from __future__ import annotations

from collections.abc import Sequence

from grader.submission.traces import NOTHING, PARAMETERS, PENALTY, Value, Walk, made, whole


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Their results hold no data, or the same data in another form.
SIZES = _words(
    "len range xrange arange zeros ones empty zeros_like ones_like empty_like full_like isinstance print type id "
    "shape ndim size dtype eye identity format str seed"
)
SAME = _words(
    "copy deepcopy astype array asarray ascontiguousarray float float32 float64 squeeze reshape transpose view ravel "
    "flatten item tolist list tuple dict sorted reversed set T expand_dims atleast_2d newaxis tqdm"
)
_OPERATIONS = dict.fromkeys(_words("dot matmul einsum tensordot inner outer vdot"), "dot") | {
    "multiply": "times",
    "divide": "over",
    "true_divide": "over",
    "add": "plus",
    "subtract": "plus",
}
_RECTIFIERS = _words("maximum max fmax relu ReLU clip where abs absolute heaviside")
_SQUASHERS = _words("exp tanh sigmoid logistic expit")
_DRAWS = _words(
    "choice choices randint permutation permuted shuffle sample integers random_integers rand random uniform"
)
_LARGEST = _words("argmax argsort argpartition nanargmax")


def arithmetic(walk: Walk, operation: str, first: Value, second: Value) -> Value:
    """Give the result of an operator, and note what role it plays.

    `operation` is "times" entry by entry, "dot" for any other product, "over", "plus" for sum and difference, or "".
    """
    multiplies, divides = operation in {"times", "dot"}, operation == "over"
    first, second = whole(walk, first), whole(walk, second)
    result = made(walk, first, second)
    if not result.marks:
        return result
    if multiplies:
        _product(walk, first, second)
        _product(walk, second, first)
    if (multiplies or divides) and "rate" in result.marks and "gradient" not in result.marks:
        # A rate that has been decayed may be used for more; where the factor itself comes in is the decay.
        is_decay = any("decay" in value.marks and "rate" not in value.marks for value in (first, second))
        walk.note("decay" if is_decay else "rate", result)
    result = _affine(walk, (first, second), result, multiplies=multiplies)
    if multiplies:
        result = gated(walk, first, second, result)
    if operation == "times" and any("dh" in a.marks and _is_hidden(b) for a, b in ((first, second), (second, first))):
        walk.note("mask")  # the slope of a sigmoid, or what was taken for the ReLU's
    if divides and "exp" in first.marks & second.marks:
        walk.note("probabilities", result)
    if operation == "plus":
        for kept, added in ((first, second), (second, first)):
            if "reg" in added.marks <= PENALTY and kept.marks - PENALTY:
                main = kept.main if kept.main >= 0 else walk.now
                return Value(result.marks, result.trail, walk.now, main, added.last if added.last >= 0 else walk.now)
    return result


def gated(walk: Walk, value: Value, test: Value, result: Value) -> Value:
    """Note where a comparison of hidden units lets a value through: forward the ReLU, backward its mask."""
    for inner, gate in ((value, test), (test, value)):
        if "test" not in gate.marks:
            continue
        if "dh" in inner.marks:
            walk.note("mask")
        elif _is_hidden(inner):
            walk.note("activation")
        else:
            continue
        return Value(result.marks - {"test"}, result.trail, result.last, result.main, result.penalty)
    return result


def compared(walk: Walk, operands: Sequence[Value]) -> Value:
    """Give the result of a comparison; one of hidden units is what a mask is made of."""
    result = made(walk, *operands)
    tests = "W1" in result.marks and ("dh" in result.marks or not result.marks & {"W2", "exp"})
    return _marked(result, "test") if tests else result


def called(walk: Walk, name: str, operands: Sequence[Value]) -> Value:
    """Give the result of a function that is not the student's own, by what numpy and Python call it."""
    if name in SIZES:
        # Rows that are counted off instead of drawn are what the batch's statement is then.
        is_rows = name == "arange" and walk.method == "train"
        return Value(trail=1 << walk.now, last=walk.now) if is_rows else NOTHING
    if name in SAME:
        return operands[0] if operands else NOTHING
    operands = [whole(walk, value) for value in operands]
    data = [value for value in operands if value.marks]
    result = made(walk, *operands)
    if name in _DRAWS and walk.method == "train":
        return _marked(Value(result.marks, result.trail | 1 << walk.now, walk.now, walk.now), "drawn")
    if len(data) == 2 and name in _OPERATIONS:
        return arithmetic(walk, _OPERATIONS[name], *data)
    if name == "take" and data:
        picked(walk, data[0], operands[-1])
    if name in _LARGEST and data:
        walk.note("labels", data[0])
    if name in {"greater", "greater_equal", "less", "less_equal", "heaviside", "sign"}:
        return compared(walk, operands)
    if name in {"where", "select"} and len(data) > 1:
        result = gated(walk, data[1], data[0], result)
    elif name in _RECTIFIERS | _SQUASHERS and data and _is_hidden(data[0]):
        walk.note("activation")
        return Value(result.marks - {"test"}, result.trail, result.last, result.main, result.penalty)
    return _softmax(walk, name, result)


def picked(walk: Walk, held: Value, index: Value) -> None:
    """Note where train picks rows of the data."""
    if walk.method == "train" and held.marks & {"X", "y"}:
        walk.note("rows", index)


def _softmax(walk: Walk, name: str, result: Value) -> Value:
    """Follow the scores through exp and log; the exp of a log is a probability again."""
    if "W2" not in result.marks:
        return result
    if name in {"exp", "softmax"}:
        result = Value(result.marks - {"log"} | {"exp"}, result.trail, result.last, result.main)
        walk.note("exp" if name == "exp" else "probabilities", result)
    elif name in {"log", "log1p", "logsumexp", "log_softmax", "cross_entropy"}:
        walk.note("log")
        result = _marked(_marked(result, "log"), "exp")
    return result


def _affine(walk: Walk, operands: tuple[Value, Value], result: Value, *, multiplies: bool) -> Value:
    """Note where a parameter as it is meets the data: forward in a layer, backward in W2 alone."""
    for own, other in (operands, operands[::-1]):
        if not own.marks or not own.marks <= PARAMETERS or not other.marks - PENALTY:
            continue
        forward = "X" in result.marks and not result.marks & {"exp", "y", "gradient"}
        if forward and own.marks <= {"W1", "b1"} and not result.marks & {"W2", "b2"}:
            walk.note("hidden")
        elif forward and own.marks <= {"W2", "b2"}:
            walk.note("scores")
        elif multiplies and "W2" in own.marks <= {"W2", "b2"} and "exp" in other.marks:
            walk.note("dhidden", other)
            return _marked(result, "dh")
    return result


def _product(walk: Walk, first: Value, second: Value) -> None:
    """Note the products that tell what the gradient of the scores is, and the regulariser's."""
    is_dscores = "exp" in second.marks and not second.marks & {"dh", "log"}
    if is_dscores and _is_hidden(first) and "test" not in first.marks:
        walk.note("dscores", second)
    if "reg" in first.marks <= PENALTY and second.marks & PARAMETERS and second.marks <= PENALTY:
        walk.note("regulariser")


def _is_hidden(value: Value) -> bool:
    return {"X", "W1"} <= value.marks and not value.marks & {"W2", "exp", "y", "gradient"}


def _marked(value: Value, mark: str) -> Value:
    marks = value.marks | {mark}
    return Value(marks, value.trail, value.last, value.main, value.penalty, value.parts, value.keys)
