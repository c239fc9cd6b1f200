#!/usr/bin/env bash
# numpy says what took the place of np.Inf, and not of np.product or np.in1d, which it removed as well.
#
# numpy keeps a table of the names that it removed (__expired_attributes__), and the AttributeError for such a name tells the
# new one. So one would have guessed that a tool which puts old names back, or explains them, can ask numpy alone. The table
# is a part: it has alltrue and not product, though both were deprecated together, and neither in1d nor trapz, which a later
# version removed. Their error is the bare one of any misspelt name. A tool needs a list of its own for these.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.0
cd "$folder"
cat > names.py <<'PY'
import numpy as np


def explained(name: str) -> bool:
    """Return whether numpy's error for a name that it removed says more than that it is missing."""
    try:
        getattr(np, name)
    except AttributeError as error:
        return str(error) != f"module 'numpy' has no attribute {name!r}"
    raise SystemExit(f"np.{name} is there")


told = [name for name in ("Inf", "NaN", "float_", "alltrue", "product", "cumproduct", "in1d", "trapz") if explained(name)]
print(f"numpy {np.__version__} says what replaced {', '.join(told)}; nothing on product, cumproduct, in1d, trapz")
if told != ["Inf", "NaN", "float_", "alltrue"]:
    raise SystemExit("The behaviour has changed.")
PY
venv/bin/python names.py
