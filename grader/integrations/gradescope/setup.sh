#!/usr/bin/env bash
# Gradescope runs this once, as root, when the autograder is uploaded: it makes the environment that run_autograder uses.
set -euo pipefail
umask 022
cd "$(dirname "$0")"
chmod -R go= . # the hidden questions are for root alone
wanted=$(sed -n '1s/^# //p' requirements.txt) # the Python with which the versions in it were installed

find_python() {
  local name
  for name in "$wanted" python3 python3.14 python3.13 python3.12 python3.11; do
    if "$name" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      echo "$name"
      return
    fi
  done
  return 1
}

if ! find_python >/dev/null && command -v apt-get >/dev/null; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq || true
  for package in "$wanted-venv" python3-venv python3.11-venv; do
    find_python >/dev/null || apt-get install -y -qq "$package" || true
  done
fi
python=$(find_python) || {
  echo "setup.sh: this image has no Python 3.11 or newer with venv, and apt-get installs none. Choose a newer base image, or one with $wanted." >&2
  exit 1
}
"$python" -m venv --clear ../venv
../venv/bin/python -m pip install -q --no-cache-dir -r requirements.txt ./*.whl || {
  echo "setup.sh: pip could not install requirements.txt with $python; its reason stands above. The versions in it were installed with $wanted. Without a network nothing can be installed." >&2
  exit 1
}
echo "setup.sh: the grader is installed, with $python."
