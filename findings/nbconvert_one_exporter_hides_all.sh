#!/usr/bin/env bash
# One exporter that cannot be imported takes JupyterLab's whole "Save and Export Notebook As" menu away.
#
# A package may offer an exporter to nbconvert by an entry point. One would have guessed that an exporter whose own
# requirement is missing is left out of the list of exporters, as one that is disabled is. But get_export_names() imports
# each, and lets the error of one through; JupyterLab asks it for its menu, is answered 500, and offers no format at all.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check nbconvert==7.17.2
"$folder/venv/bin/python" - <<'PY'
import pathlib
import sysconfig

import nbconvert
from nbconvert.exporters import get_export_names

print("nbconvert", nbconvert.__version__)
print("before:", len(get_export_names()), "formats")
folder = pathlib.Path(sysconfig.get_path("purelib"))
(folder / "with_an_extra.py").write_text("import a_library_of_an_extra")
about = folder / "with_an_extra-1.0.dist-info"
about.mkdir()
(about / "METADATA").write_text("Metadata-Version: 2.1\nName: with-an-extra\nVersion: 1.0\n")
(about / "entry_points.txt").write_text("[nbconvert.exporters]\nmine = with_an_extra:Mine\n")
try:
    get_export_names()
except ModuleNotFoundError as error:
    print("with one more:", error)
else:
    raise SystemExit("The behaviour has changed: the others are listed.")
PY
