"""Stored outputs count towards no limit: they are dropped while a notebook is read, however large, and nothing else is."""

import io
import json
import zipfile
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.submission import drop_outputs, load, read_files, zip_members
from grader.submission.drop_outputs import read_without_outputs
from grader.submission.read_files import read

NET = "class TwoLayerNet:\n    pass\n"
PICTURE = {"output_type": "display_data", "data": {"image/png": "iVBORw0KGgo" * 300_000}, "metadata": {}}
PLAIN = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=12)
    | st.sampled_from(['\\"', "]}", '"outputs": [', "\\"])
)
VALUES = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)


def cell(outputs, source=NET, **more):
    """Return a code cell."""
    return {"cell_type": "code", "source": source, "metadata": {}, "execution_count": None, "outputs": outputs, **more}


def notebook(*cells):
    """Return a notebook's bytes."""
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}, indent=1).encode()


def emptied(value):
    """Return a notebook, as JSON reads it, with empty outputs and attachments."""
    if isinstance(value, dict):
        gone = {"outputs", "attachments"}
        return {
            key: type(one)() if key in gone and isinstance(one, list | dict) else emptied(one)
            for key, one in value.items()
        }
    return [emptied(one) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize("form", ["file", "zip"])
def test_a_notebook_of_pictures_is_read(tmp_path, form):
    """Thirty megabytes of plots are no reason to refuse a notebook, and none of them is kept."""
    data = notebook(*[cell([PICTURE], source="1") for _ in range(10)], cell([PICTURE]))
    path = tmp_path / "a.ipynb"
    path.write_bytes(data)
    if form == "zip":
        path = tmp_path / "a.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            archive.writestr("a.ipynb", data)
    assert len(data) > 2 * zip_members.MEMBER_BYTES
    hand_in = read(path)
    assert hand_in.problem is None
    assert json.loads(hand_in.files[0].data) == emptied(json.loads(data))
    assert load(path, class_name="TwoLayerNet", notebook="a.ipynb").problem is None


@given(
    st.lists(st.builds(cell, VALUES, st.text(max_size=20), attachments=VALUES, more=VALUES), max_size=3),
    st.sampled_from([1, 2, 7, 64]),
    st.sampled_from([1, 5, 30]),
)
def test_nothing_but_outputs_and_attachments_is_dropped(cells, chunk, small):
    """Wherever the file is cut into chunks, JSON reads the same, but for what was dropped."""
    data = notebook(*cells)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(drop_outputs, "_CHUNK", chunk)
        patch.setattr(drop_outputs, "SMALL", small)
        kept, read_bytes = read_without_outputs(io.BytesIO(data), len(data), "a.ipynb")
    assert read_bytes == len(data)
    assert json.loads(kept) == emptied(json.loads(data))


def test_a_source_that_speaks_of_outputs_is_kept(tmp_path):
    """What stands in a text is no key of the notebook's."""
    source = NET + "said = '{\"outputs\": [1, 2]}'\n" + "#" * drop_outputs.SMALL
    path = tmp_path / "a.ipynb"
    path.write_bytes(notebook(cell([PICTURE], source=source)))
    assert json.loads(read(path).files[0].data)["cells"][0]["source"] == source


def test_what_is_read_of_all_notebooks_together_is_bounded(tmp_path, monkeypatch):
    """A small zip may unfold into gigabytes of outputs: nobody's work has as many, and reading them takes time."""
    monkeypatch.setattr(read_files, "_Contents", partial(read_files._Contents, bytes_left=8 << 20))
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for number in range(4):
            archive.writestr(f"{number}.ipynb", notebook(cell([PICTURE])))
    problem = read(path).problem
    assert problem is not None
    assert "MiB of outputs. Clear the outputs, save it, and hand in that file." in problem.message


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ("[],", "300,000 values, while"),
        pytest.param('{"b":"c"},', "300,000 values, while", marks=pytest.mark.slow),
        pytest.param('"a",', "1,000,000 values in its outputs", marks=pytest.mark.slow),
    ],
)
def test_outputs_of_millions_of_values_are_refused(tmp_path, values, said):
    """Texts and brackets are counted, so that the reader's time is bounded by what it steps through."""
    path = tmp_path / "a.ipynb"
    data = notebook(cell(["HERE"])).decode().replace('"HERE"', values * 1_500_000 + "0")
    path.write_text(data, "utf-8")
    problem = read(path).problem
    assert problem is not None
    assert f"a.ipynb holds more than {said}" in problem.message
