#!/usr/bin/env bash
# nbformat reads the same old notebook as a different one each time.
#
# A notebook of format 3 is valid, and nbformat.reads(text, as_version=4) brings it up to date. One would have guessed
# that this depends on the text alone. But the newer format wants an id for each cell, and each reading draws them at
# random: two readings of the same text are not equal, a digest of the result never matches, and a repository in which
# notebooks are brought up to date shows changes where nothing was changed. A notebook of format 4.4 is left without ids,
# so that its readings are equal.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check nbformat==5.11.1
"$folder/venv/bin/python" - <<'PY'
import json

import nbformat

OLD = {
    "metadata": {"name": ""},
    "nbformat": 3,
    "nbformat_minor": 0,
    "worksheets": [{"metadata": {}, "cells": [
        {"cell_type": "code", "input": ["a = 1"], "language": "python", "outputs": [], "metadata": {}}
    ]}],
}
NEWER = {
    "metadata": {},
    "nbformat": 4,
    "nbformat_minor": 4,
    "cells": [{"cell_type": "code", "source": ["a = 1"], "outputs": [], "metadata": {}, "execution_count": None}],
}
print("nbformat", nbformat.__version__)
equal = []
for notebook in (OLD, NEWER):
    nbformat.validate(notebook)
    one, other = (nbformat.reads(json.dumps(notebook), as_version=4) for _ in range(2))
    equal.append(one == other)
    print(f"format {notebook['nbformat']}: ids {one.cells[0].get('id')} and {other.cells[0].get('id')}, equal: {one == other}")
if equal != [False, True]:
    raise SystemExit("The behaviour has changed.")
PY
