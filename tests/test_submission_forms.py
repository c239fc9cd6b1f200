"""A program is read in whatever form it was saved, which its content tells and not its ending."""

import json
import sys

import pytest

from grader.submission import list_ignored, list_submissions, load

CLASS = "import numpy as np\n\n\nclass TwoLayerNet:\n    def loss(self, X):\n        return np.maximum(0, X)\n"
BEST = "best_hyperparameters = dict(reg=0.1)\n"
FRONT = "---\njupyter:\n  jupytext:\n    text_representation:\n      extension: .md\n---\n\n"
NOTEBOOK = json.dumps(
    {"nbformat": 4, "metadata": {}, "cells": [{"cell_type": "code", "source": text} for text in (CLASS, BEST)]}
)
DEEPNOTE = f"""metadata:
  createdAt: 2026-01-01T00:00:00.000Z
project:
  id: a
  name: Net
  notebooks:
    - blocks:
        - blockGroup: b
          content: '# Net'
          sortingKey: a0
          type: text-cell-h1
        - content: {json.dumps(BEST)}
          sortingKey: a2
          type: code
        - content: {json.dumps(CLASS)}
          sortingKey: a1
          type: code
version: 1.0.0
"""
FORMS = {
    "jupytext.md": f"{FRONT}# Net\n\n```python\n%matplotlib inline\n{CLASS}```\n\n```bash\nls\n```\n\n```python tags=[]\n{BEST}```\n",
    "nbconvert.md": f"# Net\n\n\n```python\n{CLASS}```\n\n    an output\n\n\n```python\n{BEST}```\n",
    "myst.md": f"---\njupytext:\n  x: 1\nkernelspec:\n  name: python3\n---\n\n```{{code-cell}} ipython3\n:tags: [a]\n\n{CLASS}```\n\n"
    f"```{{code-cell}}\n---\ntags: [b]\n---\n{BEST}```\n",
    "r.Rmd": f"---\ntitle: Net\n---\n\n```{{python echo=FALSE}}\n# %matplotlib inline\n# %time x = 1\n{CLASS}```\n\n```{{python}}\n{BEST}```\n",
    "quarto.qmd": f"```{{python}}\n#| label: net\n{CLASS}```\n~~~~{{python}}\n{BEST}~~~~\n",
    "deep.deepnote": DEEPNOTE,
    "net.ipynb.json": NOTEBOOK,
    "net.json": NOTEBOOK,
    "net.ipynb.txt": NOTEBOOK,
    "other.txt": NOTEBOOK,
    "net.txt": CLASS + BEST,
    "script.txt": f"#!/usr/bin/env python\n\n%matplotlib inline\n{CLASS}\n{BEST}",
    "net.py.txt": CLASS + BEST,
}


def read(path):
    """Load as the bundled assignment would."""
    return load(path, class_name="TwoLayerNet", notebook="two_layer_net.ipynb")


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("in_folder", [False, True])
def test_each_form_is_read(name, in_folder, tmp_path):
    """Alone, in a folder, and in a class's folder, each form gives the class and the hyperparameters."""
    path = tmp_path / name
    path.write_text(FORMS[name], encoding="utf-8")
    submission = read(tmp_path if in_folder else path)
    assert submission.problem is None
    kept = "\n".join(segment.source for segment in (*submission.segments, *submission.extras))
    assert "class TwoLayerNet:" in kept
    assert BEST.strip() in kept
    assert len(submission.extras) == 1
    assert list_submissions(tmp_path) == [path]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("README.md", f"# Task\n\n```python\n{CLASS}```\n"),
        ("notes.md", "# Notes\n\n```python\nx = 1\n```\n"),
        ("requirements.txt", "numpy\n"),
        ("log.txt", "class 0: 97 %\nclass 1: 98 %\n"),
        ("settings.json", '{"cells": 3}'),
        ("roster.json", "[]"),
        ("empty.deepnote", ""),
    ],
)
def test_another_text_is_no_program(name, text, tmp_path):
    """What people keep beside their programs is nobody's submission, and costs a submission nothing."""
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    assert list_submissions(tmp_path) == []
    assert list_ignored(tmp_path) == [path]
    assert read(path).problem.status == "no_submission"
    (tmp_path / "net.py").write_text(CLASS, encoding="utf-8")
    assert read(tmp_path).graded_file == "net.py"
    assert read(tmp_path).notes == ()


def test_large_texts_beside_a_program_count_towards_no_limit(tmp_path):
    """Data in .txt and .json files is not read as a program, however much of it there is."""
    (tmp_path / "net.py").write_text(CLASS, encoding="utf-8")
    for number in range(5):
        (tmp_path / f"data{number}.txt").write_bytes(b"1.0 2.0\n" * 500_000)
    assert read(tmp_path).problem is None


def test_deepnote_without_yaml_says_what_to_do(tmp_path, monkeypatch):
    """Where PyYAML is not installed the one command that converts the project is named."""
    monkeypatch.setitem(sys.modules, "yaml", None)
    path = tmp_path / "net.deepnote"
    path.write_text(DEEPNOTE, encoding="utf-8")
    assert "npx @deepnote/convert net.deepnote" in read(path).problem.message


@pytest.mark.parametrize(
    "text", ["a: [blocks:", "blocks: *a", "blocks:\n" + "[" * 5000, "project: {notebooks: [{blocks: 3}, 4]}"]
)
def test_deepnote_that_is_broken_is_refused(text, tmp_path):
    """Whatever is in the file, a sentence comes back."""
    path = tmp_path / "net.deepnote"
    path.write_text(text + "\n# TwoLayerNet", encoding="utf-8")
    assert read(path).problem is not None
