#!/usr/bin/env bash
# parso's grammar for Python 3.12, and those for later versions, refuse much of what came with Python 3.12.
#
# parso keeps one grammar for each version, and load_grammar(version="3.12") is meant to say what that Python reads. It
# does know the type parameters of 3.12 (PEP 695), so one would have guessed that it knows the rest of that version too.
# But a `type` statement (the same PEP) and an f-string that uses its own quotes inside its braces (PEP 701) are reported
# as syntax errors, by the grammars of 3.12, 3.13 and 3.14 alike.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check parso==0.8.7
"$folder/venv/bin/python" - <<'PY'
from importlib.metadata import version

import parso

TEXTS = {  # each is valid in Python 3.12: whether parso takes it
    "def first[T](values: list[T]) -> T: ...\n": True,
    "type Pair = tuple[int, int]\n": False,
    'text = f"{table["key"]}"\n': False,
}
print("parso", version("parso"))
for python in ("3.12", "3.13", "3.14"):
    grammar = parso.load_grammar(version=python)
    for text, is_taken in TEXTS.items():
        errors = [error.message for error in grammar.iter_errors(grammar.parse(text))]
        print(f"{python}: {text.strip()}  ->  {errors[0] if errors else 'fine'}")
        if is_taken == bool(errors):
            raise SystemExit("The behaviour has changed.")
PY
