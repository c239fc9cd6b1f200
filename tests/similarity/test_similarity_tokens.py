"""What a program's words are blind to, and what they see."""

import ast
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples import examples
from grader.similarity.fingerprints import GRAM, WINDOW, choose_fingerprints, hash_grams
from grader.similarity.tokens import (
    LARGEST,
    MOST_WORDS,
    NotComparedError,
    TokenizedProgram,
    TokenStream,
    tokenize_program,
)
from similarity.disguises import FORMS
from similarity.independent import honest, program, source_of

METHOD = "import numpy as np\nclass Net:\n    def go(self, X, y):\n        {}\n"


def words(source: str) -> list[tuple[str, ...]]:
    """Return the words of each function, in no order."""
    return sorted(stream.words for stream in tokenize_program(program("one", source)).streams)


def method(*lines: str) -> list[tuple[str, ...]]:
    """Return the words of one method."""
    return words(METHOD.format("\n        ".join(lines)))


SAME = {
    "names": (["h = np.exp(X)", "return h.sum()"], ["E = np.exp(X)", "return E.sum()"]),
    "augmented": (["X[0] += y", "return X"], ["X[0] = X[0] + y", "return X"]),
    "temporaries": (["return np.maximum(0, X.dot(y) + 1)"], ["z = X @ y", "z2 = z + 1", "return np.maximum(0, z2)"]),
    "order": (["a = np.exp(X)", "b = y.sum()", "return a / b"], ["b = y.sum()", "a = np.exp(X)", "return a / b"]),
    "dead code": (["return np.exp(X)"], ["spare = [n for n in range(3)]", "return np.exp(X)"]),
    "prints": (["return X.sum()"], ["print(X)", "if y: print('y')", "assert y, 'no'", "'note'", "return X.sum()"]),
    "annotations": (["a: float = X.sum()", "a = a + 1", "return a"], ["a = X.sum()", "a += 1", "return a"]),
    "method or function": (["return np.sum(X, axis=1)"], ["return X.sum(1)"]),
    "texts": (["return self.say('one word')"], ["return self.say('or two')"]),
    "new axis": (["return X[:, None]"], ["return X[:, np.newaxis]"]),
    "dict": (["return {'W1': X, 'b1': y}"], ["return dict(W1=X, b1=y)"]),
    "numbers": (["return 2 * X"], ["return X * 2.0"]),
}
OTHER = {
    "constants": (["return 0.5 * X"], ["return 2 * X"]),
    "keys": (["return X['W1']"], ["return X['W2']"]),
    "numpy's functions": (["return np.max(X)"], ["return np.sum(X)"]),
    "axes": (["return X.sum(0)"], ["return X.sum(1)"]),
    "slices": (["return X[:5]"], ["return X[5:]"]),
    "comparisons": (["return X > 0"], ["return X >= 0"]),
    "comparisons of comparisons": (["return X > 0"], ["return X < 0"]),
}


@pytest.mark.parametrize("case", SAME)
def test_words_are_blind_to_what_a_copyist_changes(case):
    """The same thing said in two ways reads the same."""
    one, other = SAME[case]
    assert method(*one) == method(*other)
    assert method(*one), "there is something to compare"


@pytest.mark.parametrize("case", OTHER)
def test_words_see_what_matters(case):
    """What is computed otherwise reads otherwise, or every program would be alike."""
    one, other = OTHER[case]
    assert method(*one) != method(*other)


def test_aliases_of_numpy_do_not_matter():
    """`import numpy`, `import numpy as np` and `from numpy import exp` ask for the same function."""
    forms = (
        "import numpy as np\nprint(1)\na = np.exp(2)\n",
        "import numpy\na = numpy.exp(2)\n",
        "from numpy import exp as e\na = e(2)\n",
    )
    found = [words(form + "def f(): return a\n") for form in forms]
    assert found[0] == found[1] == found[2]
    assert any("exp(2)" in stream for stream in found[0])


@pytest.mark.untraced
@examples(15)
@given(st.sampled_from(sorted(honest())), st.integers(0, 10**6))
def test_renaming_leaves_the_words_equal(name, seed):
    """Whatever the variables, parameters, helpers and attributes are called, the words are the same."""
    source = source_of(honest()[name])
    assert words(FORMS["renamed"](source, random.Random(seed))) == words(source)  # noqa: S311 -- no secret


@pytest.mark.parametrize("name", sorted(honest()))
def test_each_word_stands_on_a_line_of_its_text(name):
    """A passage can be shown: its lines exist."""
    one = honest()[name]
    for stream in tokenize_program(one).streams:
        assert len(stream.words) == len(stream.lines)
        assert all(1 <= line <= len(one.texts[stream.text].source.splitlines()) for line in stream.lines)


@examples(100)
@given(st.one_of(st.text(), st.text("()[]{}:=+-*/.,'\"\\\n\t abdefilnorstw01@\x00\ud800")))
def test_random_text_never_raises_anything_else(text):
    """Whatever is handed in is read, or refused with a sentence."""
    told = ""
    try:
        tokenize_program(program("one", text))
    except NotComparedError as error:
        told = str(error)
    assert told == "" or told.endswith(".")


HOSTILE = {
    "one large expression": "a = " + "b + " * 250_000 + "b",
    "many statements": "a = b\n" * 500_000,
    "many equal statements": "a[0] = b + 1\n" * 19_000,
    "nested brackets": "a = " + "[" * 5_000 + "]" * 5_000,
    "nested calls": "a = " + "f(" * 90 + ")" * 90,
    "a chain of attributes": "a" + ".b" * 2_000,
    "many chains": ("a" + ".b" * 90 + "\n") * 1_300,
    "nested minus": "a = " + "-" * 1_500 + "1",
    "one sum": "a = " + "b+" * 2_500 + "b\nc[0] = a",
    "nested functions": "".join(" " * depth + "def f():\n" for depth in range(90)) + " " * 91 + "pass",
    "a number of a million digits": "a[0] = 0x" + "f" * 250_000,
    "one call of many": "f(" + "1," * 100_000 + ")",
    "one tuple of many": ",".join(["a"] * 100_000) + " = b",
    "many variables": "def f():\n" + "".join(f" v{n}=b\n g(v{n})\n" for n in range(9_000)),
    "deep functions of many": "".join(" " * depth + "def f():\n" for depth in range(60))
    + (" " * 61 + "a = b\n") * 3_700,
    "a lone surrogate": "a['\\ud800'] = 1",
}


# Each takes a second or more; large texts of other kinds stay in the default run.
HEAVY = {
    "many variables",
    "many statements",
    "many equal statements",
    "many chains",
    "one call of many",
    "one tuple of many",
    "deep functions of many",
}


@pytest.mark.untraced
@pytest.mark.parametrize(
    "case", [pytest.param(case, marks=[pytest.mark.slow] if case in HEAVY else []) for case in HOSTILE]
)
def test_hostile_text_costs_little(case):
    """Text that was made to exhaust the reader is refused with a sentence, or read, in bounded work."""
    one = (
        program("one", HOSTILE[case]) if len(HOSTILE[case]) < LARGEST else program("one", HOSTILE[case][: LARGEST + 1])
    )
    told, count = "", 0
    try:
        count = sum(len(stream.words) for stream in tokenize_program(one).streams)
    except NotComparedError as error:
        told = str(error)
    assert count <= MOST_WORDS
    assert told == "" or "look at it yourself" in told


def test_the_guarantee_of_winnowing_holds():
    """A shared stretch of GRAM + WINDOW - 1 words gives a common fingerprint, whatever surrounds it."""
    dice = random.Random(3)  # noqa: S311 -- no secret
    for _ in range(200):
        shared = [f"shared {dice.random()}" for _ in range(GRAM + WINDOW - 1)]
        prints = []
        for _ in range(2):
            before, after = ([f"own {dice.random()}" for _ in range(dice.randrange(30))] for _ in range(2))
            stream = (*before, *shared, *after)
            reading = TokenizedProgram((TokenStream(0, stream, (1,) * len(stream)),), {}, ())
            prints.append({found.value for found in choose_fingerprints(reading)})
        assert prints[0] & prints[1]


@given(st.lists(st.sampled_from("abc"), max_size=40))
def test_rolling_gives_what_hashing_each_gram_gives(stream):
    """The value of a gram depends on its words alone, not on those before it."""
    rolled = hash_grams(stream)
    assert len(rolled) == (max(len(stream) - GRAM + 1, 1) if len(stream) >= 3 else 0)
    assert all(value == hash_grams(stream[start : start + GRAM])[0] for start, value in enumerate(rolled))


def test_fingerprints_are_the_same_in_every_process():
    """The value of a known gram is what it was when this was written: saved comparisons stay comparable."""
    assert hash_grams(["dot(.,.)", "+(.,.)", "maximum(.,0)", "dot(.,.)", "+(.,.)"]) == [1396145232487058449]


def test_the_parser_takes_what_the_material_holds():
    """The class that the tests compare is there, and parses."""
    assert len(honest()) == 30
    assert all(ast.parse(source_of(one)).body for one in honest().values())
