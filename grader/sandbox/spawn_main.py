"""How a student's process begins where it is not forked: a fresh interpreter, what limits there are, then the same life.

Started as `python -I -B -S spawn_main.py NUMPY_FOLDER TERMS`, TERMS being JSON: "allowance" as `policy.Allowance`; "missing",
the layers that it goes without, and why; "job", whether a Windows job object already limits it. The channel comes as
standard input and output, and the file for its outputs as standard error: the three that any system lets a process inherit.

Nothing here is Linux's alone: `lockdown` and its like are not imported, and what a system lacks is left out and told.
"""

from __future__ import annotations

import faulthandler
import importlib
import json
import mmap
import os
import platform
import site
import sys
import traceback
import types
from pathlib import Path
from typing import Any

# Seconds beyond the whole submission's, after which a process that nobody ended ends itself.
ORPHAN_SECONDS = 3
SETUP_FAILED = 82  # as in `worker`


def main() -> None:
    """Arrange the descriptors, load, limit, say so, and live."""
    try:
        inward, outward = _arrange_descriptors()
        terms = json.loads(sys.argv[2])
        missing: dict[str, str] = terms["missing"]
        siblings = _load(sys.argv[1])
        allowance = siblings.policy.Allowance(**terms["allowance"])
        # By a thread in C that needs no lock of Python's. It is for when the grader was killed: no signal tells us.
        faulthandler.dump_traceback_later(allowance.cpu_seconds + ORPHAN_SECONDS, exit=True, file=2)
        siblings.worker_main.arrange_signals()
        ballast = mmap.mmap(-1, siblings.worker_main.BALLAST_BYTES)
        facts = {
            "process": "a fresh interpreter for each",
            "rlimits": "a job object: memory, processor time, one process",
        }
        if "rlimits" not in missing and not terms["job"]:
            limits, left_out = limit_resources(allowance, siblings.policy)
            facts["rlimits"] = "; ".join(
                [", ".join(limits), *(f"none on {what}: {why}" for what, why in left_out.items())]
            )
            missing |= {f"limit on {what}": why for what, why in left_out.items()}
            if not limits:
                missing["rlimits"] = "this system has none that a process can set for itself"
        layers = [layer for layer in siblings.policy.LAYERS if layer not in missing]
        greeting = {
            "ready": layers,
            "missing": missing,
            "facts": {name: fact for name, fact in facts.items() if name in layers},
            "versions": {"python": platform.python_version(), "numpy": sys.modules["numpy"].__version__},
        }
        siblings.protocol.write(outward, siblings.protocol.pack(greeting))
        siblings.worker_main.live_on(inward, outward, allowance, ballast)
    except BaseException:  # noqa: BLE001 -- whatever went wrong: no interpreter shutdown, where a student's functions would run
        with os.fdopen(2, "w", closefd=False, errors="replace") as stderr:
            traceback.print_exc(file=stderr)
    finally:
        os._exit(SETUP_FAILED)


def _arrange_descriptors() -> tuple[int, int]:
    """Move the channel away, so that 0 is empty and 1 and 2 are the file; give both its directions."""
    if sys.platform == "win32":
        import msvcrt  # noqa: PLC0415 -- only there

        for descriptor in range(3):
            msvcrt.setmode(descriptor, os.O_BINARY)  # else 10 would be written as 13 10
    inward, outward = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.dup2(2, 1)
    return inward, outward


def _load(numpy_folder: str) -> types.SimpleNamespace:
    """Load numpy and what lives with the student, as `zygote` does: under another name, and off the path again."""
    standard = list(sys.path)
    package = types.ModuleType("_sandbox")
    package.__path__ = [str(Path(__file__).resolve().parent)]
    sys.modules["_sandbox"] = package
    sys.path.append(numpy_folder)
    siblings = {name: importlib.import_module(f"_sandbox.{name}") for name in ("policy", "protocol", "worker_main")}
    for name in [name for name in sys.modules if name.partition(".")[0] == "_sandbox"]:
        del sys.modules[name]
    sys.path[:] = standard
    for folder in set(sys.path_importer_cache) - set(standard):
        del sys.path_importer_cache[folder]
    # exit() and quit(), which `site` would have put there had it run.
    site.setquit()
    # What happens once, such as OpenBLAS taking its buffer, is not to come out of the student's memory.
    siblings["worker_main"].warm_up()
    return types.SimpleNamespace(**siblings)


def limit_resources(allowance: Any, terms: Any) -> tuple[list[str], dict[str, str]]:
    """Set for good what limits this system has; name those, and the others with why they are not set."""
    if sys.platform == "win32":
        return [], {}
    import resource  # noqa: PLC0415 -- Windows has none

    wanted = {
        "processor time": ("RLIMIT_CPU", allowance.cpu_seconds + terms.CPU_MARGIN_SECONDS),
        "file size": ("RLIMIT_FSIZE", terms.FILE_BYTES),
        "descriptors": ("RLIMIT_NOFILE", terms.DESCRIPTORS),
        "core files": ("RLIMIT_CORE", 0),
        "locked memory": ("RLIMIT_MEMLOCK", 0),
        "message queues": ("RLIMIT_MSGQUEUE", 0),
        "processes": ("RLIMIT_NPROC", 0),
    }
    limits, left_out = [], {}
    size = _address_space(resource.getpagesize())
    if size is None:
        # macOS refuses the call or takes it, and keeps the limit in neither case.
        left_out["memory"] = "this system keeps none, or does not tell how large a process is"
    else:
        wanted["memory"] = ("RLIMIT_AS", size + allowance.memory_mb * terms.MEBIBYTE)
    for what, (name, value) in wanted.items():
        which = getattr(resource, name, None)
        if which is None:
            left_out[what] = "this system has none"
            continue
        try:
            _, hard = resource.getrlimit(which)
            bound = value if hard == resource.RLIM_INFINITY else min(value, hard)
            resource.setrlimit(which, (bound, bound))
            limits.append(what)
        except (OSError, ValueError) as error:
            left_out[what] = f"refused: {error}"
    return limits, left_out


def _address_space(page: int) -> int | None:
    """Return how large this process is, where the system tells; only Linux does, and only there is the limit kept."""
    try:
        return int(Path("/proc/self/statm").read_bytes().split()[0]) * page
    except (OSError, ValueError, IndexError):
        return None


if __name__ == "__main__":
    main()
