"""Writes where the kernel takes settings from: entries in /proc for itself and others, /proc/sys and /sys."""

import os

from world import VICTIM

# Its own: how likely it is to be killed for memory, what it dumps, its name, who it is in a new user namespace.
OWN = (
    *("oom_score_adj", "coredump_filter", "comm", "timerslack_ns", "clear_refs", "autogroup", "sched"),
    *("loginuid", "uid_map", "setgroups", "attr/current"),
)
MACHINE = (
    *("/proc/sys/kernel/core_pattern", "/proc/sys/kernel/randomize_va_space", "/proc/sysrq-trigger"),
    *("/proc/sys/vm/drop_caches", "/sys/fs/cgroup/cgroup.procs", "/sys/kernel/mm/transparent_hugepage/enabled"),
)
VALUES = {"clear_refs": "1", "autogroup": "0", "coredump_filter": "0x7f", "oom_score_adj": "500", "comm": "grader"}


def by_own():
    for name in OWN:
        try:
            with open(f"/proc/self/{name}", "w") as file:
                if name in VALUES:
                    file.write(VALUES[name])
        except OSError:
            continue
        return name
    return ""


def by_others():
    path = f"/proc/{VICTIM}/oom_score_adj"
    with open(path, "r+") as file:
        before = file.read()
        file.seek(0)
        return file.write(before)


def by_machine():
    for name in MACHINE:
        try:
            os.close(os.open(name, os.O_WRONLY))
        except OSError:
            continue
        return name
    return ""


WAYS = {
    "own": by_own,
    "task": lambda: open(f"/proc/self/task/{os.getpid()}/comm", "w").write("grader"),
    "others": by_others,
    "machine": by_machine,
}


def attack():
    refusal = None
    for name, way in WAYS.items():
        try:
            got = way()
        except Exception as error:
            refusal = refusal or error
            continue
        if got:
            print("GOT THROUGH:", name, got)
            return
    raise refusal or LookupError("found nothing")


class TwoLayerNet:
    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        self.params = {}

    def loss(self, X, y=None, reg=0.0):
        attack()
