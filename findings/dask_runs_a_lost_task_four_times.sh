#!/usr/bin/env bash
# Dask runs a task four times if its worker ends, though no retry was asked for.
#
# client.submit(..., retries=0) says how often a task that fails is tried again, so one would have guessed that with 0 it is
# run once. That counts exceptions only. When a worker's process ends meanwhile (the system killed it for its memory, say),
# the scheduler gives the task to another one, three more times by its setting "allowed-failures", before the future
# fails with KilledWorker. Whatever the task had already written or sent has then been done four times.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check distributed==2026.8.0
cd "$folder"
cat > task.py <<'PY'
import logging
import os
from contextlib import suppress
from pathlib import Path

import distributed
from distributed import Client, KilledWorker, LocalCluster


def end(path: str) -> None:
    """Note that the task was run, and end the worker as the system would."""
    with Path(path).open("a", encoding="utf-8") as file:
        file.write("run\n")
    os._exit(1)


if __name__ == "__main__":
    runs = Path("runs.txt").absolute()
    options = {"n_workers": 1, "threads_per_worker": 1, "dashboard_address": None, "silence_logs": logging.CRITICAL}
    with LocalCluster(**options) as cluster, Client(cluster) as client:
        with suppress(KilledWorker):
            client.submit(end, str(runs), retries=0).result(timeout=300)
    count = len(runs.read_text(encoding="utf-8").splitlines())
    print(f"distributed {distributed.__version__}: retries=0, and the task was run {count} times")
    if count != 4:
        raise SystemExit("The behaviour has changed.")
PY
# The last worker, just started again, complains that it is closed: shown only where something went wrong.
venv/bin/python task.py 2> complaints.txt || { cat complaints.txt >&2; exit 1; }
