#!/usr/bin/env bash
# In numpy, the mean of ones can be 0.8 along one axis and 1 along the other.
#
# np.sum and np.mean add pairwise, which keeps rounding errors tiny, and so one would have guessed that the axis makes no
# difference worth a word. But they add pairwise only along the axis whose entries lie side by side in memory. Along the
# other one each row is added to a running total in the array's own precision: in float32 that total stops growing at
# 2 ** 24, and the mean over 20 million rows (a loss over all pixels of a data set, say) is wrong by a fifth.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6
"$folder/venv/bin/python" - <<'PY'
import numpy as np

rows = np.ones((5 * 2**22, 2), np.float32)
down, along = rows.mean(axis=0), np.ascontiguousarray(rows.T).mean(axis=1)
print("numpy", np.__version__, "- mean of the ones in each column:", down)
print("the same columns, laid out as rows:", along)
if down.tolist() != [np.float32(0.8)] * 2 or along.tolist() != [1.0, 1.0]:
    raise SystemExit("The behaviour has changed.")
PY
