"""What a student's text costs the grader, as it grows: run with `python tests/benchmarks/bench_text_costs.py [WORD...]`.

A text is made of every kind of node that Python's syntax has, of every structure that a hand-in can have, and of what has cost
much before. Each is doubled in size up to the limits, reduced, searched for lines as `locate` does, and laid out as `similar`
does. Printed are the seconds at the largest size and the exponent of the growth: 1 is linear, and n log n is 1.1 at these sizes.
The command fails where a curve is steeper than MOST_STEEP, or where a text costs more than the limit; what grows so fast that
it ends at the limit anywhere below the largest size fails as well.
"""

from __future__ import annotations

import ast
import json
import math
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1])]

from grader.limited_process import SECONDS, LimitedProcess, OverLimitError  # noqa: E402 -- needs the path
from grader.locate.source_statements import statements  # noqa: E402 -- the same
from grader.model import Submission  # noqa: E402 -- the same
from grader.model.similar_programs import Program, Text  # noqa: E402 -- the same
from grader.similarity.tokens import NotComparedError, tokenize_program  # noqa: E402 -- the same
from grader.submission import reduce  # noqa: E402 -- the same
from grader.submission.read_files import File, HandIn  # noqa: E402 -- the same

SIZES = [55_000, 110_000, 220_000]  # characters; 256 KiB of a cell or file are read, 512 KiB in all
MOST_STEEP = 1.4
LEAST_SECONDS = 0.2  # what takes less at the largest size has no curve, but noise
NET = "class TwoLayerNet:\n    def loss(self, X, y=None, reg=0.0):\n        grads = {}\n        return 0.0, grads\n"

# One statement of each kind; # is a number that differs each time.
STATEMENTS = r"""
a# = b#
a#, *b# = c#, d#
a#: int = b#
a# += b#
a# -= 1; a# *= 2; a# /= 3; a# //= 4; a# %= 5; a# **= 6; a# @= b#; a# |= 1; a# &= 1; a# ^= 1; a# <<= 1; a# >>= 1
a#.b = c#
a#['k#'] = c#
del a#
pass
assert a#, b#
raise a# from b#
import m#
import m#.n as o#
from m# import n#
from m# import *
from . import n#
global a#
for a# in b#: continue
while a#: break
if a#: b#()
if a#: b# = 1
with a# as b#, c#: d#
def f#(a, b=c#, *d, e=1, **g): return h#
def f#(a: b#) -> c#: yield d#
def f#(): yield from a#
async def f#(): await a#
async def f#():\n    async for a in b#: pass
async def f#():\n    async with a# as b: pass
async def f#(): return [a async for a in b#]
def f#():\n    nonlocal_ = 1\n    def g():\n        nonlocal nonlocal_
@d#\ndef f#(): pass
@d#(TwoLayerNet)\ndef f#(self): self.x#
class C#(B#, metaclass=M#): a = b#
try: a#()\nexcept E# as e: b#()\nelse: c#()\nfinally: d#()
try: a# = 1\nexcept* E#: pass
try: import m#\nexcept ImportError: m# = None
match a#:\n    case 1 | None: b#\n    case [c, *d]: e#\n    case {'k': v, **w}: f\n    case C(x, y=z) as q: g\n    case _: pass
TwoLayerNet.m# = f#
setattr(TwoLayerNet, 'm#', f#)
TwoLayerNet = wrap#(TwoLayerNet)
class TwoLayerNet(TwoLayerNet): a = b#
a# = type('N#', (TwoLayerNet,), {})
""".strip().splitlines()
# One expression of each kind.
EXPRESSIONS = r"""
a# and b# or not c#
(a# := b#)
a# + b# - c# * d# / e# // f# % g# ** h# @ i#
a# << b# >> c# | d# & e# ^ ~f# + -g# - +h#
lambda a, *b, c=d#, **e: f#
a# if b# else c#
{a#: b#, **c#}
{a#, b#}
[a for a in b# if c#]
{a for a in b#}
{a: b for a, b in c#}
(a for b in c# for a in b)
a# < b# <= c# > d# >= e# == f# != g# is h# is not i# in j# not in k#
f(a#, *b#, c=d#, **e#)
f'{a#!r:>{b#}} {c#:.3f}'
'text #'
b'bytes #'
1#.5e3
1#j
a#.b.c.d
a#['k']['l'][0]
a#[1:b#:2, ..., None]
[a#, *b#]
(a#, b#)
np.maximum(0, X.dot(a#) + b#)
""".strip().splitlines()
Files = Mapping[str, bytes]
Make = Callable[[int], Files]


def _python(text: str) -> Files:
    return {"net.py": text.encode()}


def _repeat(piece: str, size: int, join: str = "\n") -> str:
    """Return a piece again and again, with another number each time, until the text has a size."""
    pieces, length = list[str](), 0
    while length < size:
        pieces.append(piece.replace("#", str(len(pieces))))
        length += len(pieces[-1]) + len(join)
    return join.join(pieces)


def _indent(text: str, by: int) -> str:
    return "\n".join(" " * by + line for line in text.split("\n"))


def _in_method(text: str) -> str:
    """Return the class with a text in its method that does not begin a line at the margin."""
    return (
        f"class TwoLayerNet:\n    def loss(self, X, y=None, reg=0.0):\n{_indent(text, 8)}\n        return 0.0, {{}}\n"
    )


def at_the_margin(piece: str) -> Make:
    """Return what makes a module of one kind of statement, all of which the class may need."""
    piece = piece.replace("\\n", "\n")
    return lambda size: _python(f"{NET}{_repeat(piece, size)}\n")


def in_a_method(piece: str) -> Make:
    """Return what makes a method of one kind of statement."""
    piece = piece.replace("\\n", "\n")
    return lambda size: _python(_in_method(_repeat(piece, size - len(piece) * 8)))


def wanted_by_the_class(piece: str) -> Make:
    """Return what makes statements each of which binds a name that a method reads."""

    def make(size: int) -> Files:
        body = _repeat(piece.replace("\\n", "\n"), size // 2)
        return _python(f"{body}\n{_in_method(_repeat('b#; a#; f#; m#; n#', size // 2))}")

    return make


def in_one_expression(piece: str) -> Make:
    """Return what makes one list of many expressions, over one line."""
    return lambda size: _python(_in_method(f"a = [{_repeat(f'({piece})', size, ', ')}]"))


def _notebook(cells: list[str], outputs: str = "[]", kind: str = "code") -> Files:
    listed = [
        f'{{"cell_type": "{kind}", "source": {json.dumps(cell)}, "outputs": {outputs}, "metadata": {{}}}}'
        for cell in cells
    ]
    return {"two_layer_net.ipynb": f'{{"cells": [{", ".join(listed)}], "nbformat": 4}}'.encode()}


def _cells(piece: str) -> Make:
    return lambda size: _notebook([NET, *_repeat(piece, size, "\0").split("\0")][:5000])


def _nest(opening: str, closing: str, deepest: int) -> Make:
    """Return what makes many expressions that are nested as deeply as Python reads."""
    one = f"a = {opening * deepest}b#{closing * deepest}"
    return lambda size: _python(_in_method(_repeat(one, size)))


def _nest_blocks(header: str, deepest: int, last: str = "") -> Make:
    lines = [" " * depth + header for depth in range(deepest)] + [" " * deepest + "a# = b"]
    lines += [" " * depth + last for depth in reversed(range(deepest)) if last]
    one = "def f#():\n" + "\n".join(f" {line}" for line in lines)
    return lambda size: _python(f"{NET}{_repeat(one, size)}\n")


def _files(piece: str, most: int = 290) -> Make:
    """Return what makes many files, and a notebook that imports the first."""

    def make(size: int) -> Files:
        count = most * size // SIZES[-1]
        made = {f"d{n % 7}/m{n}.py": piece.replace("#", str((n + 1) % count)).encode() for n in range(count)}
        return made | {"net.py": f"from m0 import *\n{NET}".encode()}

    return make


def _many_names(size: int) -> Files:
    count = int((size / SIZES[-1]) * 290)
    named = {f"d{n}/m.py": b"from m import x\n" for n in range(count)}
    return named | {"net.py": f"from m import *\n{NET}".encode()}


STRUCTURES: dict[str, Make] = {
    "lines: comments": lambda size: _python(NET + "# a comment\n" * (size // 12)),
    "lines: empty": lambda size: _python(NET + "\n" * size),
    "lines: carriage returns": lambda size: _python(NET + "\r" * size),
    "lines: one long string": lambda size: _python(f"{NET}a = '{'x' * size}'\n"),
    "lines: one long comment": lambda size: _python(f"{NET}# {'x' * size}\n"),
    "lines: one long name": lambda size: _python(f"{NET}{'x' * size} = 1\n"),
    "lines: one long number": lambda size: _python(f"{NET}a = 0x{'1' * size}\n"),
    "lines: text of many lines": lambda size: _python(f'{NET}a = """{"line" * 3}\n' + "line\n" * (size // 5) + '"""\n'),
    "lines: backslashes": lambda size: _python(NET + "a = 1 + \\\n" * (size // 10) + "1\n"),
    "lines: semicolons": lambda size: _python(NET + "a = 1; " * (size // 7)),
    "lines: other letters": lambda size: _python(NET + _repeat("ж# = 'ё#😀'", size // 2)),
    "lines: form feeds": lambda size: _python(NET + "\f\n" * (size // 2)),
    "lines: blanks at the end": lambda size: _python(NET + "a = 1 " + " " * size),
    "nested: parentheses": _nest("(", ")", 90),
    "nested: lists": _nest("[", "]", 90),
    "nested: calls": _nest("f(", ")", 90),
    "nested: lambdas": _nest("lambda: ", "", 50),
    "nested: minus": _nest("-", "", 90),
    "nested: not": _nest("not ", "", 90),
    "nested: attributes": _nest("", ".c", 200),
    "nested: subscripts": _nest("", "[0]", 200),
    "nested: calls of calls": _nest("", "()", 200),
    "nested: sums": _nest("c + ", "", 200),
    "nested: powers": _nest("c ** ", "", 60),
    "nested: conditions": _nest("c if d else ", "", 60),
    "nested: comprehensions": _nest("[x for x in ", "]", 15),
    "nested: dicts": _nest("{1: ", "}", 90),
    "nested: if": _nest_blocks("if c:", 90),
    "nested: for": _nest_blocks("for c in d:", 18),
    "nested: while": _nest_blocks("while c:", 18),
    "nested: with": _nest_blocks("with c:", 18),
    "nested: try": _nest_blocks("try:", 9, "finally: c"),
    "nested: functions": _nest_blocks("def g():", 90),
    "nested: classes": _nest_blocks("class C:", 90),
    "one chain: attributes": lambda size: _python(_in_method(f"a = b{'.c' * min(size // 2, 900)}")),
    "one chain: sums": lambda size: _python(_in_method(f"a = b{' + c' * min(size // 4, 900)}")),
    "one chain: elif": lambda size: _python(_in_method("if a: b\n" + _repeat("elif a#: b", size))),
    "one chain: targets": lambda size: _python(_in_method(_repeat("a# = ", size, "") + "1")),
    "one chain: comparisons": lambda size: _python(_in_method("a = b" + _repeat(" < c#", size, ""))),
    "one chain: and": lambda size: _python(_in_method("a = b" + _repeat(" and c#", size, ""))),
    "one chain: decorators": lambda size: _python(_repeat("@d#", size) + "\n" + NET),
    "one chain: parameters": lambda size: _python(_in_method(f"def f({_repeat('a#', size, ', ')}): pass")),
    "one chain: arguments": lambda size: _python(_in_method(f"f({_repeat('a#', size, ', ')})")),
    "one chain: keywords": lambda size: _python(_in_method(f"f({_repeat('a#=b', size, ', ')})")),
    "one chain: with": lambda size: _python(_in_method(f"with {_repeat('a# as b#', size, ', ')}: pass")),
    "one chain: imports": lambda size: _python(f"import {_repeat('a#', size, ', ')}\n{NET}"),
    "one chain: from": lambda size: _python(f"from a import {_repeat('b#', size, ', ')}\n{NET}"),
    "one chain: bases": lambda size: _python(f"class TwoLayerNet({_repeat('B#', size, ', ')}): pass\n"),
    "one chain: aliases": lambda size: _python(NET + _repeat("A# = TwoLayerNet", size)),
    "one chain: each the one before": lambda size: _python(
        "a0 = 1\n"
        + "".join(f"a{n + 1} = a{n}\n" for n in range(size // 16))
        + f"class TwoLayerNet:\n    a = a{size // 16}\n"
    ),
    "one chain: functions": lambda size: _python(
        "".join(f"def f{n}(): return f{n + 1}()\n" for n in range(size // 30)) + "class TwoLayerNet:\n    a = f0\n"
    ),
    "one chain: jumps": lambda size: _python(_in_method(_repeat("if a: b", size // 2))),
    "class: methods": lambda size: _python("class TwoLayerNet:\n" + _repeat("  def m#(self): self.x#", size)),
    "class: attributes": lambda size: _python("class TwoLayerNet:\n" + _repeat("  a# = b#", size)),
    "class: bound again": lambda size: _python(NET * (size // len(NET))),
    "class: annotations": lambda size: _python("class TwoLayerNet:\n" + _repeat("  a#: b#", size)),
    "class: slots": lambda size: _python(f"class TwoLayerNet:\n  __slots__ = [{_repeat(repr('a#'), size, ', ')}]\n"),
    "names: global, read in a method": lambda size: _python(_in_method(_repeat("a#", size))),
    "names: set in a method": lambda size: _python(_in_method(_repeat("a#=0", size))),
    "names: bound again": lambda size: _python(NET + _repeat("a = #", size)),
    "names: changed again": lambda size: _python("a = {}\n" + _repeat("a[#] = a", size) + f"\n{_in_method('a')}"),
    "names: builtins": lambda size: _python(NET + _repeat("sum = #", size)),
    "numbers: a table": lambda size: _python(f"{NET}a = [{_repeat('#.5', size, ', ')}]\n"),
    "texts: joined": lambda size: _python(f"{NET}a = ({_repeat(repr('text #'), size)})\n"),
    "imports: stars": lambda size: _python(_repeat("from m# import *", size) + f"\n{NET}"),
    "imports: well known": lambda size: _python(_repeat("import tensorflow.a#", size) + f"\n{NET}"),
    "imports: in the method": lambda size: _python(_in_method(_repeat("from m# import x", size))),
    "imports: one name of many modules": lambda size: _python(
        _repeat("from m# import a", size) + f"\n{_in_method('a')}"
    ),
    "imports: the class": lambda size: _python(_repeat("from m# import TwoLayerNet", size)),
    "broken: brackets": lambda size: _python(NET + "(" * size),
    "broken: closed brackets": lambda size: _python(NET + ")\n" * (size // 2)),
    "broken: each statement": lambda size: _python(NET + _repeat("a# = = b", size)),
    "broken: each method": lambda size: _python("class TwoLayerNet:\n" + _repeat("  def m#(self): a = = b", size)),
    "broken: each function": lambda size: _python(NET + _repeat("def f#(: pass", size)),
    "broken: a method in many": lambda size: _python(
        "class TwoLayerNet:\n" + _repeat("  def m#(self): pass", size) + "\n  def loss(self: pass\n"
    ),
    "broken: no end of a text": lambda size: _python(f"{NET}a = '''" + "b\n" * (size // 2)),
    "broken: quotes": lambda size: _python(NET + "'\n" * (size // 2)),
    "broken: indentation": lambda size: _python(NET + _repeat("  a# = 1\n a = 2", size)),
    "broken: tabs": lambda size: _python("class TwoLayerNet:\n" + _repeat("    def m#(self):\n\treturn 1", size)),
    "broken: Python 2": lambda size: _python(NET + _repeat("print 'a#'", size)),
    "broken: merge marks": lambda size: _python(NET + "<<<<<<< a\n=======\n>>>>>>> b\n" * (size // 28)),
    "broken: newer strings": lambda size: _python(NET + _repeat("a# = f'{'x'}'", size)),
    "broken: newer strings, nested": lambda size: _python(NET + _repeat("a# = f'{f'{f'{f'{x}'}'}'}'", size)),
    "broken: nulls": lambda size: _python(NET + "\0" * size),
    "broken: letters that are none": lambda size: {"net.py": NET.encode() + b"\xff\xfe" * (size // 2)},
    "cells: one statement each": _cells("a# = b#"),
    "cells: magics": _cells("%time a#\n!ls\n%%time"),
    "cells: time": _cells("%%time\na# = 1"),
    "cells: written files": _cells("%%writefile m#.py\na = 1"),
    "cells: appended files": _cells("%%writefile -a m.py\na# = 1"),
    "cells: added methods": _cells("%%add_to TwoLayerNet\ndef m#(self): pass"),
    "cells: broken": _cells("a# = = b"),
    "cells: the class again": _cells(NET.replace("0.0", "#")),
    "cells: empty": _cells(""),
    "cells: magics in one": lambda size: _notebook([NET + "%matplotlib inline\n" * (size // 19)]),
    "cells: help in one": lambda size: _notebook([NET + "a?\n" * (size // 3)]),
    "cells: prose": lambda size: _notebook([NET, *["text " * 20] * (size // 100)], kind="markdown"),
    "cells: outputs": lambda size: _notebook([NET], json.dumps(["x" * 50] * (size // 10))),
    "cells: an output of one text": lambda size: _notebook([NET], json.dumps(["x" * size * 40])),
    "cells: cut off": lambda size: {
        "two_layer_net.ipynb": b'{"cells": [' + b'{"cell_type": "code", "source": "a = 1"}, ' * (size // 50) + b'{"cell'
    },
    "files: each imports the next": _files("from m# import *\nx# = 1\n"),
    "files: each imports all of the next": _files("import m#\nx# = m#\n"),
    "files: each imports the class": _files("from m# import TwoLayerNet\n"),
    "files: all of one name": _many_names,
    "files: relative": _files("from . import m#\nfrom .m# import x\n"),
    "files: all hold the class": _files(NET + "# #\n"),
    "files: none parses": _files("a = = # TwoLayerNet\n"),
}


def _kinds() -> dict[str, Make]:
    made: dict[str, Make] = {}
    for piece in STATEMENTS:
        if not (sys.version_info < (3, 11) and "except*" in piece):
            made[f"margin: {piece}"] = at_the_margin(piece)
            made[f"wanted: {piece}"] = wanted_by_the_class(piece)
            if "import *" not in piece and "TwoLayerNet" not in piece:
                made[f"method: {piece}"] = in_a_method(piece)
    for piece in EXPRESSIONS:
        made[f"expression: {piece}"] = in_one_expression(piece)
    return made


def kinds_left_out() -> set[str]:
    """Return the kinds of nodes that no text holds."""
    text = "\n".join([*STATEMENTS, *EXPRESSIONS]).replace("\\n", "\n").replace("#", "1")
    text = f"{text}\nasync def f():\n    del a\n    async for a in b: continue\nwhile 1:\n    break\n"
    seen = {type(node).__name__ for node in ast.walk(ast.parse(text))}
    old = {
        "Num",
        "Str",
        "Bytes",
        "NameConstant",
        "Ellipsis",
        "Index",
        "ExtSlice",
        "Suite",
        "Param",
        "AugLoad",
        "AugStore",
    }
    whole = {"Interactive", "Expression", "FunctionType", "TypeIgnore", "MatchStar", "MatchMapping"} - seen
    newer = {"TypeAlias", "TypeVar", "ParamSpec", "TypeVarTuple", "TemplateStr", "Interpolation"}
    leaves = {
        name
        for name, kind in vars(ast).items()
        if isinstance(kind, type) and issubclass(kind, ast.AST) and not kind.__subclasses__()
    }
    return leaves - seen - old - whole - newer


# ---------------------------------------------------------------- what is measured


def reduce_text(files: Files) -> Submission:
    """Return the submission that some files are."""
    found = tuple(File(PurePosixPath(name), data) for name, data in sorted(files.items()))
    return reduce(HandIn(found, (), "0"), "a", "a", class_name="TwoLayerNet", notebook="two_layer_net.ipynb")


def locate_some(submission: Submission) -> None:
    """Ask of two hundred lines of each text what `locate` asks of the lines that ran, and of a function what it asks of one."""
    found = statements(submission)
    for label, lines in found.lines.items():
        for line in range(1, len(lines) + 1, max(1, len(lines) // 200)):
            found.place(label, line)
            found.reads(label, line)
            found.binds(label, line, "a")
            found.part_line(label, line, "return['a']")
        found.naming(label, len(lines) // 2, "decay", "=")
        for line in range(1, len(lines) + 1, max(1, len(lines) // 4)):
            found.setting(label, line, "W1")
    found.definition("loss")


def lay_out(submission: Submission) -> None:
    """Read a program as `similar` does."""
    segments = [*submission.segments, *(module.segment for module in submission.modules)]
    texts = tuple(Text(one.label, one.source) for one in segments)
    try:
        tokenize_program(Program("a", texts, tuple(one.kept for one in segments)))
    except NotComparedError:
        return


STEPS: dict[str, Callable[[Submission], None]] = {"locate": locate_some, "similar": lay_out}


def measure(step: str, files: Files, submission: Submission | None) -> tuple[float, Submission]:
    """Return the processor seconds of one step, and the submission that the files are."""
    began = time.process_time()
    if submission is None:
        submission = reduce_text(files)
    else:
        STEPS[step](submission)
    return time.process_time() - began, submission


def curve(make: Make, step: str, process: LimitedProcess[..., tuple[float, Submission]]) -> tuple[list[float], str]:
    """Return the seconds of a step at each size, and what ended it, or "". Deep nesting is refused at any size, at once."""
    spent: list[float] = []
    for size in SIZES:
        files = make(size)
        try:
            seconds, submission = process("reduce", files, None)
            spent.append(seconds if step == "reduce" else process(step, {}, submission)[0])
        except OverLimitError as error:
            return spent, "" if "deeper" in str(error) else f"{size:,} characters {error}"
    return spent, ""


def exponent(seconds: list[float]) -> float:
    """Return the exponent of growth from the first size to the last."""
    return math.log(seconds[-1] / max(seconds[0], 1e-3)) / math.log(SIZES[-1] / SIZES[0])


def judge(make: Make, step: str, process: LimitedProcess[..., tuple[float, Submission]]) -> tuple[str, str]:
    """Return the figures of one curve, and what is wrong with it, or ""; what seems steep is measured again."""
    for _ in range(2):
        spent, ended = curve(make, step, process)
        if len(spent) < len(SIZES) or spent[-1] < LEAST_SECONDS:
            return f"{spent[-1] if spent else 0:6.2f}     -", ended
        figures = f"{spent[-1]:6.2f} {exponent(spent):5.2f}"
        if exponent(spent) <= MOST_STEEP:
            return figures, ""
    return figures, "STEEP"


def main(words: list[str]) -> int:
    """Measure the texts whose names hold one of the words, or all; return 1 where one is too steep or costs too much."""
    if left_out := kinds_left_out():
        print(f"no text holds {', '.join(sorted(left_out))}")
        return 1
    bad = 0
    process = LimitedProcess(measure)
    texts = {name: make for name, make in (_kinds() | STRUCTURES).items() if not words or any(w in name for w in words)}
    print(f"{f'seconds and exponent at {SIZES[-1]:,} characters':60} {'reduce':>12} {'locate':>12} {'similar':>12}")
    for name, make in texts.items():
        found = [judge(make, step, process) for step in ("reduce", *STEPS)]
        wrong = "; ".join(f"{step}: {why}" for step, (_, why) in zip(("reduce", *STEPS), found, strict=True) if why)
        bad += bool(wrong)
        print(f"{name[:60]:60} {' '.join(figures for figures, _ in found)} {wrong}", flush=True)
    process.close()
    print(f"{len(texts)} texts; {bad} steeper than n to the {MOST_STEEP}, or over {SECONDS:g} s of processor time")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
