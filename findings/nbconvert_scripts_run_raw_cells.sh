#!/usr/bin/env bash
# nbconvert's Python script of a valid notebook may be no Python.
#
# Markdown cells become comments in `jupyter nbconvert --to script`. One would have guessed that raw cells, which are not
# run in the notebook either, become comments too or are left out. They are copied into the script as they stand: a raw
# cell with a sentence in it makes the whole script a syntax error, and one that holds Python is suddenly run.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check nbconvert==7.17.2 nbformat==5.11.1
"$folder/venv/bin/python" - <<'PY'
import nbconvert
import nbformat
from nbformat import v4

cells = [v4.new_markdown_cell("A heading."), v4.new_raw_cell("This is a sentence."), v4.new_code_cell("x = 1")]
notebook = v4.new_notebook(cells=cells)
nbformat.validate(notebook)
script, _ = nbconvert.PythonExporter().from_notebook_node(notebook)
print("nbconvert", nbconvert.__version__)
print(script)
assert "# A heading." in script.splitlines()
try:
    compile(script, "script.py", "exec")
except SyntaxError as error:
    print("Python refuses it:", error)
else:
    raise SystemExit("The behaviour has changed: the script is Python.")
PY
