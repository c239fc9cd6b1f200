#!/usr/bin/env bash
# pytest's --lf forgets a failed test whose name holds a bracket, and --junitxml and -n write another name.
#
# A plugin's own items may have any name, and a title such as "grads['W1'] is right" is one. Since pytest parses node ids
# back from text, everything after the first bracket counts as parameters, and a bracket is put at the end: the test that
# failed is not the one that the cache names, so --lf runs everything again. One would have guessed that a name is read
# back as it was written. An item that is given its `nodeid` as text, in the form name[any text], is found again.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pytest==9.2.0
cd "$folder"
cat >conftest.py <<'PY'
import pytest


class Item(pytest.Item):
    def runtest(self):
        assert "right" not in self.name


class File(pytest.File):
    def collect(self):
        for name in ("other", "grads['W1'] is right"):
            yield Item.from_parent(self, name=name)


def pytest_collect_file(file_path, parent):
    return File.from_parent(parent, path=file_path) if file_path.suffix == ".txt" else None
PY
touch net.txt
venv/bin/pytest -q --tb=no --junitxml=out.xml || true
grep -o 'name="grads[^"]*"' out.xml
again=$(venv/bin/pytest -q --tb=no --lf || true)
echo "$again"
grep -q "1 failed, 1 passed" <<<"$again" || { echo "The behaviour has changed: --lf finds the test again." >&2; exit 1; }
