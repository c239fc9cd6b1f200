"""Methods given to the class after it was made are kept, whichever way; what would train or tune is not."""

import ast

import nbformat
import pytest

from examples import in_part
from grader.submission import load
from hanging import must_end

CLASS = "class TwoLayerNet:\n    pass"
LOSS = "def loss(self):\n    return 1"
ADD = "def add_to_class(Class):\n    def wrapper(f):\n        setattr(Class, f.__name__, f)\n    return wrapper"


@pytest.fixture
def read(tmp_path):
    """Load a notebook of these cells, with these helper files beside it."""

    def read_cells(*cells, **files):
        made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        (tmp_path / "two_layer_net.ipynb").write_text(nbformat.writes(made), encoding="utf-8")
        for name, text in files.items():
            (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
        return load(tmp_path, class_name="TwoLayerNet", notebook="two_layer_net.ipynb")

    return read_cells


def kept(submission):
    """Return the statements that are run, as text."""
    return [ast.unparse(ast.parse(s.source).body[index]) for s in submission.segments for index in s.kept]


def made(submission):
    """Run what was kept, and give the class: the texts are this file's own."""
    assert submission.problem is None
    names = {"__name__": "notebook"}
    for statement in kept(submission):
        exec(statement, names)  # noqa: S102 -- this file's own text
    return names["TwoLayerNet"]


@pytest.mark.parametrize(
    "cells",
    [
        # by a decorator that is given the class, or another name of it
        [ADD, CLASS, f"@add_to_class(TwoLayerNet)\n{LOSS}"],
        [ADD, CLASS, f"@add_to_class(Class=TwoLayerNet)\n{LOSS}"],
        [ADD, CLASS, f"Net = TwoLayerNet\n@add_to_class(Net)\n{LOSS}"],
        [ADD, CLASS, f"method = add_to_class(TwoLayerNet)\n@method\n{LOSS}"],
        [ADD, CLASS, f"if True:\n    @add_to_class(TwoLayerNet)\n    {LOSS.replace('    ', '        ')}"],
        [
            ADD,
            "class fcnet:\n    class TwoLayerNet: pass\nTwoLayerNet = fcnet.TwoLayerNet",
            f"@add_to_class(TwoLayerNet)\n{LOSS}",
        ],
        [ADD, "TwoLayerNet = type('TwoLayerNet', (), {})", f"@add_to_class(TwoLayerNet)\n{LOSS}"],
        # by a decorator that knows the class
        [CLASS, f"def method(f):\n    setattr(TwoLayerNet, f.__name__, f)\n    return f\n@method\n{LOSS}"],
        [
            "class TwoLayerNet:\n    @classmethod\n    def method(cls, f):\n        setattr(cls, f.__name__, f)",
            f"@TwoLayerNet.method\n{LOSS}",
        ],
        # by a decorator that asks the function's first parameter
        [
            "def patch(f):\n    cls = f.__annotations__['self']\n    setattr(cls, f.__name__, f)",
            CLASS,
            f"@patch\n{LOSS.replace('self', 'self: TwoLayerNet')}",
        ],
        # by a class that decorates
        [
            "class add_to:\n    def __init__(self, cls): self.cls = cls\n    def __call__(self, f): setattr(self.cls, 'loss', f)",
            CLASS,
            f"@add_to(TwoLayerNet)\n{LOSS}",
        ],
        # by a loop or another block
        [CLASS, LOSS, "for f in (loss,):\n    setattr(TwoLayerNet, f.__name__, f)"],
        [CLASS, LOSS, "for name, f in {'loss': loss}.items():\n    setattr(TwoLayerNet, name, f)"],
        [CLASS, LOSS, "for name in ['loss']:\n    setattr(TwoLayerNet, name, globals()[name])"],
        [CLASS, LOSS, "for cls in (TwoLayerNet, int):\n    if cls is TwoLayerNet:\n        cls.loss = loss"],
        [ADD, CLASS, LOSS, "for f in (loss,):\n    add_to_class(TwoLayerNet)(f)"],
        [CLASS, "for n in range(1):\n    def loss(self):\n        return abs(n + 1)\n    TwoLayerNet.loss = loss"],
        [CLASS, "for n in range(1):\n    TwoLayerNet.loss = lambda self: abs(n + 1)"],
        [
            CLASS,
            LOSS,
            "if not hasattr(TwoLayerNet, 'loss'):\n    for f in [loss]:\n        setattr(TwoLayerNet, 'loss', f)",
        ],
        [CLASS, LOSS, "import warnings\nwith warnings.catch_warnings():\n    TwoLayerNet.loss = loss"],
        [CLASS, LOSS, "try:\n    TwoLayerNet.loss = loss\nexcept AttributeError:\n    pass"],
        [CLASS, LOSS, "[setattr(TwoLayerNet, f.__name__, f) for f in (loss,)]"],
        [CLASS, LOSS, "_ = [setattr(TwoLayerNet, f.__name__, f) for f in (loss,)]"],
        # by a call
        [ADD, CLASS, LOSS, "add_to_class(TwoLayerNet)(loss)"],
        [
            "def attach(cls, *fs):\n    for f in fs:\n        setattr(cls, f.__name__, f)",
            CLASS,
            LOSS,
            "attach(TwoLayerNet, loss)",
        ],
        [
            "def attach(cls):\n    def loss(self):\n        return sum([1])\n    cls.loss = loss\n    return cls",
            CLASS,
            "attach(TwoLayerNet)",
        ],
        ["def attach(cls):\n    cls.loss = lambda self: 1\n    return cls", CLASS, "TwoLayerNet = attach(TwoLayerNet)"],
        [CLASS, LOSS, "def attach_all():\n    TwoLayerNet.loss = loss", "attach_all()"],
        [CLASS, "setattr(TwoLayerNet, 'loss', lambda self, X=None, y=None, reg=0.0: 1)"],
        [CLASS, LOSS, "from types import FunctionType\nTwoLayerNet.loss = FunctionType(loss.__code__, globals())"],
        [CLASS, LOSS, "type.__setattr__(TwoLayerNet, 'loss', loss)"],
        # in steps
        [
            CLASS,
            f"class TwoLayerNet(TwoLayerNet):\n    {LOSS.replace('    ', '        ')}",
            "class TwoLayerNet(TwoLayerNet):\n    a = 1",
        ],
        [CLASS, f"%%add_to TwoLayerNet\n{LOSS}"],
        # by its base or its metaclass
        [ADD, "class Base: pass\nclass TwoLayerNet(Base): pass", f"@add_to_class(Base)\n{LOSS}"],
        [
            "class Meta(type):\n    def __init__(cls, *a, **k): cls.loss = loss",
            LOSS,
            "class TwoLayerNet(metaclass=Meta): pass",
        ],
    ],
    ids=lambda cells: cells[-1][:60],
)
def test_a_method_attached_later_is_kept(read, cells):
    """Each way in which people add a method to a class that is there already gives it that method here too."""
    assert made(read(*cells))().loss() == 1


def test_names_of_an_old_numpy(read):
    """`np.int` and its like, given back to numpy by a loop, are there for the class that uses numpy."""
    loop = "for t in ('int', 'float'):\n    setattr(np, t, eval(t))"
    assert kept(read(f"import numpy as np\n{loop}", f"{CLASS}\n    a = np")) == [
        "import numpy as np",
        loop,
        f"{CLASS}\n    a = np",
    ]


def test_a_class_of_another_file(read):
    """A method may be attached to a class by its module's name."""
    submission = read(
        f"import fcnet\nfrom fcnet import TwoLayerNet\n{LOSS}\nfcnet.TwoLayerNet.loss = loss", fcnet=CLASS
    )
    assert kept(submission)[-1] == "fcnet.TwoLayerNet.loss = loss"
    submission = read(
        f"import fcnet\nfrom fcnet import TwoLayerNet\n{LOSS}\nsetattr(fcnet.TwoLayerNet, 'loss', loss)", fcnet=CLASS
    )
    assert kept(submission)[-1] == "setattr(fcnet.TwoLayerNet, 'loss', loss)"


def test_a_decorator_of_another_file(read):
    """What a decorator that was imported does with the class is not known, so its function is kept."""
    for line in (
        "@add(TwoLayerNet)\ndef loss(self):",
        "@patch\ndef loss(self: TwoLayerNet):",
        "@tools.add(TwoLayerNet)\ndef loss(self):",
    ):
        found = kept(read("import tools\nfrom tools import add, patch", CLASS, f"{line}\n    return 1", tools=ADD))
        assert found[-1] == f"{line}\n    return 1"
    found = kept(read("from tools import timed", CLASS, "@timed\ndef tune(net: TwoLayerNet): pass", tools=ADD))
    assert found == [CLASS]


@pytest.mark.parametrize(
    "statement",
    [
        # whatever makes a network, calls its methods, or might
        "for lr in (1, 2):\n    TwoLayerNet.lr = lr\n    net = TwoLayerNet()",
        "for lr in (1, 2):\n    TwoLayerNet.lr = lr\n    net.train(lr)",
        "for lr in (1, 2):\n    setattr(TwoLayerNet, 'lr', tune(lr))",
        "for lr in (1, 2):\n    run(TwoLayerNet)\n    TwoLayerNet.lr = lr",
        "with timer():\n    TwoLayerNet.lr = 1",
        "while True:\n    TwoLayerNet.lr = 1",
        "for f in ():\n    while True:\n        TwoLayerNet.lr = 1",
        "[setattr(TwoLayerNet, 'a', tune(i)) for i in (1, 2)]",
        "for i in (1, 2):\n    print(TwoLayerNet)",
        "for net.lr in (1, 2):\n    print(TwoLayerNet)",
        # functions that are given the class and do more than to attach
        "tune(TwoLayerNet)",
        "set_and_tune(TwoLayerNet)",
        "set_all_and_tune()",
        "wrap_and_tune(TwoLayerNet)(tune)",
        "attach(TwoLayerNet, tune(1))",
        "results = tune(TwoLayerNet)",
        "unknown(TwoLayerNet)",
        # a decorator that does not attach
        "@timed(TwoLayerNet)\ndef experiment(): pass",
        "@timed\ndef experiment(net: TwoLayerNet): pass",
    ],
)
def test_what_may_train_is_not_run(read, statement):
    """A block, a call or a decorator that is given the class but may take hours stays out, as before."""
    helpers = (
        "def tune(cls):\n    return cls().train()",
        "def set_and_tune(cls):\n    cls.lr = 1\n    cls().train()",
        "def set_all_and_tune():\n    TwoLayerNet.lr = 1\n    TwoLayerNet().train()",
        "def wrap_and_tune(cls):\n    def wrapper(f):\n        cls.lr = f(cls)\n    return wrapper",
        "def attach(cls, a):\n    cls.a = a",
        "def timed(x):\n    return lambda f: f",
    )
    assert kept(read(*helpers, CLASS, statement)) == [CLASS]


def test_a_function_is_not_kept_for_its_decorator(read):
    """A decorator that is given another class is no reason to keep a function."""
    assert kept(read(ADD, "class Other: pass", CLASS, f"@add_to_class(Other)\n{LOSS}")) == [CLASS]


def test_the_loop_s_own_name_is_not_needed(read):
    """`for f in ...` sets f itself: an earlier f, perhaps an hour's tuning, is not run for it; one that it reads is."""
    loop = "for f in (loss,):\n    setattr(TwoLayerNet, 'loss', f)"
    assert kept(read(CLASS, LOSS, "f = tune()", loop)) == [CLASS, LOSS, loop]
    loop = "for f in (f,):\n    setattr(TwoLayerNet, 'loss', f)"
    assert kept(read(CLASS, "f = len", loop)) == [CLASS, "f = len", loop]


def test_attachers_that_name_each_other_end(read):
    """Names that stand for each other in a circle are followed once."""
    assert made(read("a = 1\nb = a\na = b\nc = c_of(d)\nd = c(a)", CLASS, "TwoLayerNet.x = 1\nb.y = 1")).x == 1


# ---------------------------------------------------------------- %%add_to


def test_add_to_keeps_the_cells_lines(read):
    """`%%add_to` of jdc: the cell's functions become methods, at their own lines; its helpers' inner functions do not."""
    submission = read(
        CLASS, "%%add_to TwoLayerNet\n\ndef loss(self):\n    def inner(): pass\n%time x = 1\ndef train(self): pass"
    )
    source = submission.segments[-1].source.split("\n")
    assert source[2] == "def loss(self):"
    assert source[6:] == ["TwoLayerNet.loss = loss", "TwoLayerNet.train = train"]
    assert {"loss", "train"} <= vars(made(submission)).keys()
    assert "inner" not in vars(made(submission))


def test_add_to_a_cell_that_does_not_parse(read):
    """The error of a broken `%%add_to` cell is told with the student's own line."""
    assert any(
        "expected ':'" in note and "code cell 2, line 2: `def loss(self)`" in note
        for note in read(CLASS, "%%add_to TwoLayerNet\ndef loss(self)\n    return 1").notes
    )


@pytest.mark.parametrize("magic", ["%%add_to", "%%add_to TwoLayerNet()", "%%add_to a; import os"])
def test_add_to_what_is_no_name(read, magic):
    """What is no name of a class adds no method; the cell is Python, as under any unknown cell magic."""
    assert kept(read(CLASS, f"{magic}\n{LOSS}\nTwoLayerNet.x = 1")) == [CLASS, "TwoLayerNet.x = 1"]


# ---------------------------------------------------------------- what the report says of it


def test_a_class_made_in_steps(read):
    """Of a class that goes on from itself, no part is said to be ignored; of one that begins anew, the earlier is."""
    step = "class TwoLayerNet(TwoLayerNet):\n    pass"
    assert read(CLASS, step, step).notes == (
        (
            "TwoLayerNet is made in 3 steps (code cell 1, line 1: `class TwoLayerNet:`, code cell 2, line 1: "
            "`class TwoLayerNet(TwoLayerNet):`; then code cell 3, line 1: `class TwoLayerNet(TwoLayerNet):`): "
            "each builds on the one before, so all of them count"
        ),
    )
    stale, steps = read(CLASS, step, CLASS, step).notes[:2]
    assert stale == (
        "TwoLayerNet is defined 3 times (code cell 1, line 1: `class TwoLayerNet:`, code cell 2, line 1: "
        "`class TwoLayerNet(TwoLayerNet):`; then code cell 3, line 1: `class TwoLayerNet:`): the last one counts, as in Python"
    )
    assert steps.startswith("TwoLayerNet is made in 2 steps (code cell 3")


def test_a_broken_cell_that_is_defined_again(read):
    """Python 2's errors in a cell that a later one replaces are not the student's to mend: one plain sentence."""
    old = "def relu(x):\n    print x\nclass TwoLayerNet:\n    def loss(self): print 1"
    (note,) = (n for n in read(old, "def relu(x): pass", CLASS).notes if n.startswith("code cell 1"))
    assert note == "code cell 1 was left out: Python 3 cannot read it, and a later cell defines TwoLayerNet, relu again"


def test_a_broken_cell_with_more_than_is_defined_again(read):
    """What a broken cell holds besides is kept, and the sentence says that only a part is left out."""
    submission = read("def f(x):\n    print x\ndef g(x): pass", "def f(x): pass", f"{CLASS}\n    a = (f, g)")
    assert (submission.segments[0].label, submission.segments[0].kept) == ("code cell 1", (1,))
    assert submission.notes == (
        "a part of code cell 1 was left out: Python 3 cannot read it, and a later cell defines f again",
    )


def test_a_broken_cell_that_comes_after(read):
    """A broken cell that would replace an earlier function may be the one that was meant, so its error is told."""
    notes = read("def relu(x): pass", f"{CLASS}\n    a = relu", "def relu(x):\n    print x").notes
    assert any("Written for Python 2: print statement at code cell 3, line 2" in note for note in notes)


# ---------------------------------------------------------------- texts made to take for ever


@pytest.mark.slow
@pytest.mark.untraced  # the same lines over and over: a tracer doubles the time and learns nothing
@pytest.mark.parametrize(
    "cell",
    in_part(
        [
            "".join(f"a{i} = a{i + 1}\na{i}.x = 1\n" for i in range(4_500)),
            "".join(f"a = b{i}\n" for i in range(4_500)) + "a.x = 1\n" * 4_500,
            "if x:\n" + "".join(f"{' ' * i}for a in b:\n" for i in range(1, 90)) + f"{' ' * 95}x.y = [{'a,' * 60_000}]",
            "".join(f"{' ' * i}def f{i}(c):\n" for i in range(90)) + f"{' ' * 95}c.y = [{'a,' * 60_000}]\nf0(c)",
        ],
        4,
    ),
    ids=["names in a row", "many meanings of one name", "loops inside of loops", "functions inside of functions"],
)
def test_names_made_to_be_followed_for_ever(read, cell):
    """What stands for what is followed some steps, and each block is looked at once."""
    with must_end():
        assert read(cell, CLASS).problem is None
