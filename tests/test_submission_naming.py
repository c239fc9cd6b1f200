"""A class folder's entries and their names."""

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.submission import list_ignored, list_submissions, safe_names
from grader.submission.name_submissions import plain_stem


def test_entries_of_a_class(tmp_path):
    """Notebooks, .py files, zips and folders are submissions; links, hidden and other files are not, and are told apart."""
    for name in (
        "ann.ipynb",
        "bob.PY",
        "cem.zip",
        "eva.ipynb.json",
        "roster.csv",
        ".DS_Store",
        "._ann.ipynb",
        ".gus.ipynb",
    ):
        (tmp_path / name).touch()
    for name in ("dan", "__MACOSX", ".ipynb_checkpoints"):
        (tmp_path / name).mkdir()
    (tmp_path / "eve").symlink_to(tmp_path / "dan")
    (tmp_path / "fay.ipynb").symlink_to(tmp_path / "ann.ipynb")
    assert [path.name for path in list_submissions(tmp_path)] == [
        "ann.ipynb",
        "bob.PY",
        "cem.zip",
        "dan",
        "eva.ipynb.json",
    ]
    assert [path.name for path in list_ignored(tmp_path)] == ["eve", "fay.ipynb", "roster.csv", ".gus.ipynb"]


@pytest.mark.parametrize(
    ("given_name", "name"),
    [
        ("jane.ipynb", "jane"),
        ("Jane Doe_12345_assignsubmission_file_", "Jane Doe_12345_assignsubmission_file_"),
        ("v1.2", "v1.2"),
        ("a.tar.zip", "a.tar"),
        ("doejane_101_5551_net.ipynb.json", "doejane_101_5551_net"),
        ("jane.PY.txt", "jane"),
        ("..hidden.py", "hidden"),
        ("--out.py", "out"),
        ("a:b?c*.py", "a_b_c_"),
        ("a\nb\x1b[31m\u202e.py", "a_b_[31m_"),
        ("::error::x ###[group]y.py", "__error__x #_#[group]y"),
        ("CON.ipynb", "_CON"),
        ("com1.x.zip", "_com1.x"),
        ("...py", "submission"),
        ("x. .", "x"),
        ("Zoe\u0308.py", "Zoë"),
        ("名前.ipynb", "名前"),
    ],
)
def test_a_name_fit_for_any_file_system(given_name, name):
    """Separators, control characters, leading dots and dashes, and Windows's devices do not get into a name."""
    assert safe_names([Path(given_name)]) == {Path(given_name): name}


def test_names_are_unique_whatever_their_case():
    """MacOS and Windows would write Ann's report over ann's."""
    paths = [Path(name) for name in ("a/ann.py", "ann.zip", "Ann.ipynb", "ann-2.py", "ANN")]
    assert list(safe_names(paths).values()) == ["ann", "ann-2", "Ann-3", "ann-2-2", "ANN-4"]


@given(st.lists(st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1), max_size=8))
def test_any_names_at_all(names):
    """Whatever file names there are, the safe ones are unique without case, NFC, short, and lead nowhere."""
    paths = [Path("class") / f"{name}x" for name in names]
    found = safe_names(paths)
    assert len({name.casefold() for name in found.values()}) == len(set(paths))
    for name in found.values():
        assert name == Path(name).name
        assert not name.startswith((".", "-"))
        assert not any(unicodedata.category(char)[0] == "C" for char in name)
        assert len(name.encode()) <= 130
        assert unicodedata.is_normalized("NFC", name)


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("doe_12345_98765_two_layer_net-1.ipynb", "two_layer_net"),
        ("doe_LATE_1_2_two_layer_net-12.ipynb", "two_layer_net"),
        ("two_layer_net-Copy1 (2).ipynb", "two_layer_net"),
        ("two_layer_net.ipynb", "two_layer_net"),
        ("layers2.py", "layers2"),
    ],
)
def test_plain_stem(name, stem):
    """What Canvas, browsers and Jupyter add to a name is taken off again."""
    assert plain_stem(name) == stem
