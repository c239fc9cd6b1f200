"""What a process may send, as hypothesis draws it: replies made anew with a slip, right ones changed anywhere, damaged bytes."""

import copy
import json
import math

import numpy as np
from hypothesis import strategies as st

from grader.sandbox import protocol
from sandbox.impostors import framed

# ---------------------------------------------------------------- a right reply changed anywhere

NUMBERS = st.sampled_from(
    [True, False, 2**31, 2**53 + 1, 2**63 - 1, 2**63, 2**64, 2**1024 - 1, 2**1024, -(2**1024), 10**4000]
) | st.sampled_from([0.0, -0.0, 1.0, 2.0, 0.5, 1e308, 5e-324, math.nan, math.inf, -math.inf])
TEXTS = st.text(st.characters(), max_size=8) | st.sampled_from(
    [
        "",
        "\ud800",
        "\x1b[2J",
        "\x00",
        "\u202e",
        "<script>",
        "x" * 5000,
        "0x7f31deadbeef",
        "none",
        "array",
        "list",
        "__class__",
    ]
)
LEAVES = st.none() | st.integers(-2, 4) | NUMBERS | TEXTS
DESCRIBED = st.recursive(
    st.just(["none"])
    | st.just(["array"])
    | st.tuples(st.sampled_from(["int", "float", "bool", "str"]), NUMBERS | TEXTS).map(list)
    | st.tuples(st.just("opaque"), TEXTS, TEXTS).map(list)
    | st.tuples(st.just("numbers"), st.sampled_from(["list", "tuple", "set"])).map(list),
    lambda inner: (
        st.tuples(st.just("cast"), TEXTS, inner).map(list)
        | st.tuples(st.sampled_from(["list", "tuple"]), st.lists(inner, max_size=3)).map(list)
        | st.tuples(st.just("dict"), st.lists(st.tuples(TEXTS, inner).map(list), max_size=3)).map(list)
    ),
    max_leaves=6,
)
RAW = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)


def nested(levels, kind):
    """Make a description, or plain lists, so many levels deep."""
    node = ["none"]
    for _ in range(levels):
        node = [kind, [node]] if kind else [node]
    return node


DEEP = st.builds(nested, st.sampled_from([2, 7, 15, 40, 120, 300]), st.sampled_from(["list", "tuple", ""]))
MANY = st.builds(lambda node, times: [node] * times, DESCRIBED, st.sampled_from([70, 4097, 9000]))
SPECS = st.tuples(st.sampled_from([*sorted(protocol.DTYPES), "|O", "<c16"]), st.lists(NUMBERS, max_size=9)).map(list)
ODD = LEAVES | RAW | DESCRIBED | DEEP | SPECS | MANY


def paths(node, here=()):
    """Return the place of every node in a tree, the root first."""
    yield here
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, child in list(items)[:30]:
        yield from paths(child, (*here, key))


def fresh(node):
    """Copy a node so that no two parts of it are one: what a strategy gives is its own, and is changed here."""
    return json.loads(json.dumps(node))


def at(tree, path):
    """Return the node at a place."""
    for key in path:
        tree = tree[key]
    return tree


@st.composite
def changed(draw, tree):
    """Change a tree at one to three places: replace, take out, double, add, or put another part of it there."""
    root = [copy.deepcopy(tree)]
    for _ in range(draw(st.integers(1, 3))):
        everywhere = list(paths(root))[1:]
        *above, key = draw(st.sampled_from(everywhere))
        parent = at(root, above)
        match draw(st.sampled_from(["replace", "graft", "drop", "double", "add"])):
            case "replace":
                parent[key] = fresh(draw(ODD))
            case "graft":
                parent[key] = copy.deepcopy(at(root, draw(st.sampled_from(everywhere))))
            case "drop" if above:
                del parent[key]
            case "double" if isinstance(parent, list) and above:
                parent.insert(key, copy.deepcopy(parent[key]))
            case _ if isinstance(parent[key], dict):
                parent[key][draw(TEXTS)] = fresh(draw(ODD))
            case _ if isinstance(parent[key], list):
                parent[key].append(fresh(draw(ODD)))
    return root[0]


@st.composite
def spoilt(draw, stage, number):
    """Change a right reply; at times its header names a key twice, or its body is not its own."""
    header, body = stage.parts[draw(st.sampled_from([number, number, number, *stage.parts]))]
    text = json.dumps(draw(changed(header)))
    if draw(st.integers(0, 5)) == 0:
        key = draw(st.sampled_from(['"results":', '"number":', '"arrays":', '"message":', '"W1",']))
        text = text.replace(key, f"{key} {json.dumps(draw(ODD))}, {key}", 1)
    body = draw(st.sampled_from([body, body, body, body[:-1], body + b"\0", b"\xff" * len(body), b""]))
    return framed(text, body)


# ---------------------------------------------------------------- a right reply made anew, with a slip

VALUES = st.recursive(
    st.sampled_from([["none"], ["array"], ["array"], ["numbers", "list"], ["numbers", "tuple"], ["bool", True]])
    | (st.integers(-2, 2) | st.sampled_from([2**1024 - 1, -(2**64)])).map(lambda x: ["int", x])
    | st.floats().map(lambda x: ["float", x])
    | TEXTS.map(lambda x: ["str", x])
    | st.tuples(st.just("opaque"), TEXTS, TEXTS).map(list),
    lambda inner: (
        st.tuples(st.sampled_from(["list", "tuple"]), st.lists(inner, max_size=3)).map(list)
        | st.tuples(st.just("dict"), st.lists(st.tuples(TEXTS, inner).map(list), max_size=3)).map(list)
    ),
    max_leaves=5,
)
SHAPES = st.lists(st.integers(0, 3), max_size=8)
SHAPE_TABLES = st.dictionaries(TEXTS, st.lists(st.sampled_from([0, 1, 2**63 - 1]), max_size=3), max_size=3)
FALSE_VALUES = [
    ["int", True],
    ["int", 1.0],
    ["int", 2**1024],
    ["float", 1],
    ["bool", 1],
    ["none", None],
    ["str", None],
    ["opaque", "", 1],
    ["list", {}],
    ["tuple", [1]],
    ["dict", [["a"]]],
    ["dict", {"a": ["none"]}],
    ["numbers", "set"],
    nested(7, "list"),
    nested(8, "tuple"),
    {},
    "none",
]
# Each part of a reply, and what must not stand there; a part that is a list may hold it as its first entry.
SLIPS = {
    "number": [True, False, None, 0.0, 2.0, -1, 0, 1, 3, "2", [2]],
    "error": [False, 0, "", [], {}, {"during": "loss"}],
    "printed": [None, 7, []],
    "warnings": [None, "x", {}, [7], ["x"] * 63 + [None]],
    "positional": [None, "x", {}, [7], ["x"] * 63 + [None]],
    "own_shapes": [None, [], {"W1": 5}, {"W1": [True]}, {"W1": [-1]}, {"W1": [1.0]}, {"W1": [2**63]}, {"W1": [1] * 65}],
    "results": [None, {}, "array", [], [["none"]] * 4, [["none"]] * 6],
    "arrays": [
        None,
        {},
        "x",
        [["<f8"]],
        [["|O", [1]]],
        [["<f8", 1]],
        [["<f8", [True]]],
        [["<f8", [-1]]],
        [["<f8", [0] * 9]],
    ],
}


KINDS_OF_SLIP = ["none", "none", "part", "value", "dtype", "shape", "more", "less", "left out", "body"]


def slots(node):
    """Return the kinds of the arrays that a description speaks of, in order."""
    if isinstance(node, list) and node[:1] in (["array"], ["numbers"]):
        return [node[0]]
    return [kind for child in node for kind in slots(child)] if isinstance(node, list) else []


def size(spec):
    """Return the bytes of an array's entry in a header; none where it makes no sense, or promises much."""
    kind, shape = spec if isinstance(spec, list) and len(spec) == 2 else ("", [])
    fine = (
        kind in protocol.DTYPES
        and isinstance(shape, list)
        and all(isinstance(side, int) and side >= 0 for side in shape)
    )
    return math.prod(shape) * np.dtype(kind).itemsize if fine and math.prod(shape) < 2**20 else 0


@st.composite
def composed(draw, number, steps):
    """Make a reply of any values, with the arrays that these speak of, and often one slip."""
    # Drawn first, because what is drawn late is mostly the simplest.
    slip, filling = draw(st.sampled_from(KINDS_OF_SLIP)), draw(st.sampled_from([b"\2", b"\0", b"\xff"]))
    results = fresh(draw(st.lists(VALUES, min_size=steps, max_size=steps)))
    kinds = slots(results)
    plain = st.tuples(st.sampled_from(["<i8", "<f8"]), st.integers(0, 3).map(lambda n: [n]))
    anyhow = st.tuples(st.sampled_from(["|b1", "<f8"]) | st.sampled_from(sorted(protocol.DTYPES)), SHAPES)
    arrays = [list(draw(plain if kind == "numbers" else anyhow)) for kind in kinds]
    message = {
        "number": number,
        "error": None,
        "results": results,
        "printed": draw(TEXTS),
        "warnings": draw(st.lists(TEXTS, max_size=2)),
        "positional": draw(st.lists(TEXTS, max_size=2)),
        "own_shapes": draw(SHAPE_TABLES),
    }
    header = {"arrays": arrays, "message": message}
    extra = 0
    match slip:
        case "part":
            part = draw(st.sampled_from(list(SLIPS)))
            (header if part == "arrays" else message)[part] = draw(st.sampled_from(SLIPS[part]))
        case "value" if results:
            results[draw(st.integers(0, steps - 1))] = draw(st.sampled_from(FALSE_VALUES))
        case "dtype" if arrays:
            arrays[0][0] = draw(st.sampled_from([">f8", "|O", "<f2", "|b1", "", None]))
        case "shape" if arrays:
            arrays[0][1] = draw(st.sampled_from([[True], [True, True], [-1], [1.0], [2**62, 4], [1, 1], [[]], None]))
        case "more":
            draw(st.sampled_from([results, arrays])).append(draw(st.sampled_from([["none"], ["<f8", [0]]])))
        case "less":
            del draw(st.sampled_from([results, arrays]))[:1]
        case "left out":
            del message[draw(st.sampled_from(list(message)))]
        case "body":
            extra = draw(st.sampled_from([-1, 1]))
    return framed(header, filling * (sum(map(size, arrays)) + extra))


def lying(stage, number):
    """Return both kinds of lie."""
    return spoilt(stage, number) | composed(number, 0 if number == 0 else len(stage.steps))


# ---------------------------------------------------------------- noise

# What faulthandler writes, and what could be taken for it.
OUTPUT = st.sampled_from(
    [
        b"Fatal Python error: Segmentation fault\n\n",
        b"Current thread 0x00007f (most recent call first):\n",
        b"Thread 0x00007f (most recent call first):\n",
        b'  File "code cell 1", line 9 in loss\n',
        b'  File "code cell 1", line 9999999 in loss\n',
        b'  File "code cell 1", line 0 in \x1b[2J\n',
        b'  File "/etc/passwd", line 1 in root\n',
        b'  File "\\ud800", line 1 in \xff\n',
        b"\xff\x00\n",
    ]
) | st.binary(max_size=20)


@st.composite
def damaged(draw, stage, number):
    """Join frames, right and lying ones and noise, damage bytes of them, and cut them at any byte."""
    pieces = st.sampled_from(list(stage.frames.values())) | lying(stage, number) | st.binary(max_size=40)
    first = draw(st.sampled_from([b"", stage.frames[number]]))
    data = bytearray(first + b"".join(draw(st.lists(pieces, min_size=not first, max_size=3))))
    for _ in range(draw(st.integers(0, 2))):
        place, length = draw(st.integers(0, max(len(data) - 1, 0))), draw(st.sampled_from([0, 1, 2, 7, 500]))
        data[place : place + length] = draw(st.binary(max_size=8))
    if draw(st.booleans()):
        del data[draw(st.integers(0, len(data))) :]
    cuts = sorted(draw(st.lists(st.integers(0, len(data)), max_size=3)))
    return [bytes(data[a:b]) for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]
