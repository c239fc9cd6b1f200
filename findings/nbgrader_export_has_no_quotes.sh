#!/usr/bin/env bash
# nbgrader's CSV has no quotes: a student called "Doe, Jr." gets a row of twelve cells under eleven headers.
#
# `nbgrader export` puts each row together with str.format and commas, not with Python's csv module. Whoever reads the table
# finds the first name in the column of addresses, and the penalty where the score should be, without any error: the score
# of such a student is read as 0.0 here. One would have guessed that a tool's own CSV can be read by any reader.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check nbgrader==0.9.6
cd "$folder"
export PATH="$folder/venv/bin:$PATH"  # nbgrader's API starts the command alembic, wherever it is
cat >fill.py <<'PY'
from nbgrader.api import Gradebook

with Gradebook("sqlite:///gradebook.db") as book:
    book.add_assignment("ps1")
    book.add_notebook("net", "ps1")
    book.add_grade_cell("all", "net", "ps1", max_score=10, cell_type="code")
    book.add_student("ann", last_name="Doe, Jr.", first_name="Ann", email="ann@example.org")
    book.add_submission("ps1", "ann")
    book.find_grade("all", "net", "ps1", "ann").manual_score = 9
    book.db.commit()
PY
python fill.py
nbgrader export --log-level=ERROR
cat grades.csv
read_as=$(python -c 'import csv; print(next(csv.DictReader(open("grades.csv")))["score"])')
echo "The score of 9.0 is read as $read_as."
[ "$read_as" = 0.0 ] || { echo "The behaviour has changed." >&2; exit 1; }
