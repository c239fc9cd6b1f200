#!/usr/bin/env bash
# junitparser writes a file that it cannot read itself.
#
# A test's captured output often holds terminal colours, and a colour begins with the character ESC, which XML 1.0 has no
# way to write. One would have guessed that the library replaces it, as pytest's own --junitxml does, or refuses it. It
# does neither: the character is written as it is, and no XML parser, that of the same library included, reads the file
# again: the results of all its tests are lost, not only those of the one with the colour.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check junitparser==5.0.3
cd "$folder"
venv/bin/python - <<'PY'
from importlib.metadata import version
from xml.etree.ElementTree import ParseError

from junitparser import JUnitXml, TestCase, TestSuite

case = TestCase("test_colours")
case.system_out = "\x1b[31mred\x1b[0m"
suite = TestSuite("suite")
suite.add_testcase(case)
report = JUnitXml()
report.add_testsuite(suite)
report.write("report.xml")
print("junitparser", version("junitparser"))
try:
    JUnitXml.fromfile("report.xml")
except ParseError as error:
    print("wrote report.xml, and cannot read it:", error)
else:
    raise SystemExit("The behaviour has changed: junitparser reads what it wrote.")
PY
