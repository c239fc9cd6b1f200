#!/usr/bin/env bash
# gslocal runs setup.sh before it unpacks the zip that setup.sh came in.
#
# It is a local stand-in for Gradescope, which unpacks autograder.zip into /autograder/source and then runs setup.sh there:
# Gradescope's own samples install /autograder/source/requirements.txt. One would have guessed that the stand-in keeps this
# order. Its Dockerfile copies setup.sh alone, runs it, and unpacks the zip afterwards: a setup.sh that installs anything
# that the zip brings along cannot work in it.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check gslocal==0.1.1
"$folder/venv/bin/python" - <<'PY'
from importlib.metadata import version

from gslocal.config import BuildConfig, Config, DockerConfig, RunConfig
from gslocal.docker import generate_dockerfile

config = Config(
    build=BuildConfig(cmd="true", zip="autograder.zip", watch=["*"]),
    docker=DockerConfig(setup="setup.sh", metadata=""),
    run=RunConfig(),
)
text = generate_dockerfile(config)
print("gslocal", version("gslocal"))
print(text)
if text.index("bash /autograder/source/setup.sh") > text.index("unzip"):
    raise SystemExit("The behaviour has changed: gslocal unpacks the zip before it runs setup.sh.")
PY
