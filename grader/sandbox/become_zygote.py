"""A zygote that is a fork of the command itself: for one's own program alone, which may see the command's memory."""

import os
import sys
import threading
import time
import traceback
import types
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn


def is_fresh() -> bool:
    """Return True where this process has loaded little yet, no numpy, and runs nothing beside: a zygote can be its fork."""
    alone = os.environ.get("OPENBLAS_NUM_THREADS") == "1" and threading.active_count() == 1
    return alone and "numpy" not in sys.modules and sys.gettrace() is None


def become_zygote(command: list[str], environment: Mapping[str, str]) -> NoReturn:
    """Be what the command would start, in a fork that has loaded numpy already: it sees nothing of ours but memory."""
    try:
        start, sys.argv = command[5], ["-c", *command[6:]]
        end = int(sys.argv[3])
        os.closerange(3, end)
        os.closerange(end + 1, os.sysconf("SC_OPEN_MAX"))
        os.environ.clear()
        os.environ |= environment
        time.tzset()
        library = {
            Path(os.__file__).parent.name,
            "lib-dynload",
            f"python{sys.version_info.major}{sys.version_info.minor}.zip",
        }
        sys.path[:] = [one for one in sys.path if Path(one).name in library]
        sys.meta_path[:] = [one for one in sys.meta_path if one.__module__.startswith("_frozen_importlib")]
        for name, module in [*sys.modules.items()]:
            if getattr(module, "__spec__", None) and name.partition(".")[0] not in sys.stdlib_module_names | {"numpy"}:
                del sys.modules[name]
        sys.modules["__main__"] = types.ModuleType("__main__")
        sys.stdin, sys.stdout, sys.stderr = (open(one, "rww"[one], closefd=False, encoding="utf-8") for one in range(3))  # noqa: SIM115 -- descriptors
        sys.dont_write_bytecode = True
        exec(start, vars(sys.modules["__main__"]))  # noqa: S102 -- our own script
    except BaseException:  # noqa: BLE001 -- the grader reads it where the zygote has ended
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(0)
