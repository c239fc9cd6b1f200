#!/usr/bin/env bash
# The first np.median, np.quantile or np.unique of a process imports numpy.ma, a tenth of the time of importing numpy.
#
# numpy loads numpy.ma when it is first asked for, so that who has no masked arrays does not wait for them. But these functions
# ask whether a plain array or result is a masked one, by the module's own classes, and so load it in any program. A command
# that is over in half a second takes the middle of sorted values itself, or counts on 15 ms.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6
cd "$folder"
cat > first.py <<'PY'
import sys
import time

import numpy as np

plain = np.arange(12.0).reshape(3, 4)
np.sort(plain, axis=0)
assert "numpy.ma" not in sys.modules
started = time.process_time()
{"median": np.median, "unique": np.unique, "quantile": lambda one: np.quantile(one, 0.5)}[sys.argv[1]](plain)
first = time.process_time() - started
started = time.process_time()
np.median(plain)
print(f"{sys.argv[1]}: numpy.ma loaded: {'numpy.ma' in sys.modules}; {1000 * first:.1f} ms, then {1000 * (time.process_time() - started):.1f} ms")
if "numpy.ma" not in sys.modules:
    raise SystemExit("The behaviour has changed.")
PY
for name in median unique quantile; do
  venv/bin/python first.py "$name"
done
