#!/usr/bin/env bash
# `import jsonschema` compiles a whole grammar when an optional package is installed beside it.
#
# rfc3987-syntax comes with jsonschema's extra "format-nongpl", which other packages ask for, and checks one rare format,
# IRIs. One would have guessed that a checker of one format costs nothing until a schema asks for that format. But
# jsonschema imports every checker that it finds at once, and this one has lark compile the grammar of RFC 3987 while it
# is imported: every program that imports jsonschema starts later by a second or more.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check jsonschema==4.26.0
cat > "$folder/start.py" <<'PY'
import sys
import time

begun = time.process_time()
import jsonschema

print(f"{time.process_time() - begun:.2f} {'lark' in sys.modules}")
PY
read -r before grammar_before < <("$folder/venv/bin/python" "$folder/start.py")
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check rfc3987-syntax==1.1.0 lark==1.3.1
"$folder/venv/bin/python" "$folder/start.py" > /dev/null  # the first run compiles lark itself to bytecode
read -r after grammar_after < <("$folder/venv/bin/python" "$folder/start.py")
echo "jsonschema 4.26.0: import takes $before s of processor time; with rfc3987-syntax 1.1.0 beside it $after s"
if [ "$grammar_before $grammar_after" != "False True" ]; then
    echo "The behaviour has changed: lark was imported: $grammar_before without the package, $grammar_after with it."
    exit 1
fi
