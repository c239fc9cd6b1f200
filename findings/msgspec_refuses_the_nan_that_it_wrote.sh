#!/usr/bin/env bash
# msgspec cannot decode what it encoded, by the same type, where a float is NaN or infinite.
#
# The standard library writes NaN, which is no JSON, and reads it again. One would have guessed that a library which
# checks types either does the same or refuses a value that JSON cannot hold. msgspec's encoder writes null without a word,
# and its decoder then refuses the null, because the type says float: a loss that once diverged is lost when it is
# saved, and is noticed only when it is read.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check msgspec==0.22.0
"$folder/venv/bin/python" - <<'PY'
import math
from importlib.metadata import version

import msgspec


class History(msgspec.Struct):
    losses: list[float]


text = msgspec.json.encode(History([2.3, math.nan, math.inf]))
print("msgspec", version("msgspec"), "writes", text.decode())
assert text == b'{"losses":[2.3,null,null]}', "The behaviour has changed."
try:
    msgspec.json.decode(text, type=History)
except msgspec.ValidationError as error:
    print("and refuses it:", error)
else:
    raise SystemExit("The behaviour has changed: it is read.")
PY
