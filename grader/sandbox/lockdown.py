"""Lock a student's process down: set once, after preloading and before any student code.

The layers, in the order in which they are put on, and what each is for:

process       a session of its own with four descriptors; dies with the zygote; nobody may trace it, and it dumps no core
namespaces    a network without any interface and an IPC space of its own: a second wall behind seccomp, where allowed
rlimits       memory, processor time, file size, descriptors, processes: what is used up is used up by its author alone
uid           started as root, an account that owns nothing: root reads what it owns, and no limit on processes binds it
no_new_privs  no exec can give rights back, and all capabilities are gone; the kernel asks for it before the next two
landlock      reads Python's own library and numpy, and no other file; no signal and no TCP to anybody outside
seccomp       an allowlist of system calls; where Landlock is missing, it refuses to open any file at all

The zygote finds out once what this system can do (`prepare`); each process does just that (`apply`), or ends before any
student code runs.
"""

import contextlib
import ctypes
import fcntl
import os
import resource
import signal
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import partial

from . import landlock, seccomp
from .policy import DESCRIPTORS, LAYERS, DisabledLayers, ResourceLimits, at_most, limit_resources

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38

CLONE_NEWUSER, CLONE_NEWIPC, CLONE_NEWNET = 0x10000000, 0x08000000, 0x40000000

# What 5,000 calls take where each goes through C (sorted with a key, __getattr__): 8 MiB, the default, is too small.
STACK_BYTES = 64 << 20
# Accounts that distributions leave alone, below those that Docker and systemd map and hand out by themselves.
FIRST_USER, USERS = 52_000, 4_000

# Found once, in the zygote: to look it up in each child costs more page faults than all the rest of the lock-down.
_libc = ctypes.CDLL(None, use_errno=True)
_prctl, _capset, _unshare = _libc.prctl, _libc.capset, _libc.unshare


def control(option: int, value: int) -> None:
    """Call prctl(2), and raise OSError where the kernel refuses."""
    _check(_prctl(option, ctypes.c_ulong(value), 0, 0, 0), f"prctl({option}, {value})")


def _check(answer: int, what: str) -> None:
    if answer != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


# ---------------------------------------------------------------- once, in the zygote


@dataclass(frozen=True)
class Plan:
    """The steps that each student's process takes on this system."""

    layers: tuple[str, ...]
    user: int | None = None
    ruleset: int | None = None  # Landlock's, as a descriptor
    program: seccomp.Program | None = None
    may_open: bool = True  # files for reading
    missing: dict[str, str] = field(default_factory=dict)  # why a layer is not among them
    facts: dict[str, str] = field(default_factory=dict)  # what there is to know of one that is


def prepare(readable: Iterable[str], disabled: DisabledLayers) -> Plan:
    """Find out which layers this system has, by trying each in a process that ends with it.

    readable : paths that a student's process may read, with all below them.
    This process itself moves into namespaces of its own, once and for all its children. To be called before there is
    any second thread.
    """
    missing = dict.fromkeys(disabled.layers, "switched off")
    root = os.geteuid() == 0
    if "namespaces" not in missing and not _enter_namespaces(root=root):
        missing["namespaces"] = "not allowed here"
    user = _unused_user() if root else None
    if user is None:
        missing.setdefault("uid", "not started as root")
    elif "uid" not in missing and not _possible(lambda: _become(user)):
        missing["uid"] = "this root may not become another user"
    newest = landlock.version()
    abi = newest if disabled.landlock is None else min(newest, disabled.landlock)
    ruleset = None
    if abi == 0:
        missing.setdefault("landlock", "this kernel has none, so no file can be opened at all")
    elif "landlock" not in missing:
        made = ruleset = _out_of_the_way(landlock.make_ruleset(abi, readable))
        if not _possible(_drop_privileges, lambda: landlock.restrict(made)):
            os.close(made)
            ruleset = None
            missing["landlock"] = "refused here, so no file can be opened at all"
    may_open = ruleset is not None or "landlock" in disabled.layers
    program = _program(may_open=may_open, missing=missing)
    layers = tuple(name for name in LAYERS if name not in missing)
    facts = {
        "namespaces": "network and IPC" if root else "network and IPC, inside a user namespace",
        "uid": f"user {user}",
        "landlock": f"version {abi} of this kernel's {newest}",
        "seccomp": f"for {os.uname().machine}" + ("" if may_open else ", and no file can be opened at all"),
    }
    shown = {name: fact for name, fact in facts.items() if name in layers}
    return Plan(layers, user if "uid" in layers else None, ruleset, program, may_open, missing, shown)


def renew(plan: Plan) -> Plan | None:
    """Return the plan of a zygote that was just forked from another: its processes are to meet the other's nowhere.

    It moves into namespaces of its own, and its processes become another user. None where that cannot be.
    """
    user = None if plan.user is None else _unused_user()
    entered = "namespaces" not in plan.layers or _enter_namespaces(root=os.geteuid() == 0)
    if not entered or (plan.user is not None and user is None):
        return None
    shown = {"uid": f"user {user}"} if user is not None else {}
    return replace(plan, user=user, facts=plan.facts | shown)


def _out_of_the_way(descriptor: int) -> int:
    """Move a descriptor past those that a student's process arranges for itself."""
    moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, DESCRIPTORS)
    os.close(descriptor)
    return moved


def _program(*, may_open: bool, missing: dict[str, str]) -> seccomp.Program | None:
    """Build seccomp's program, or say in `missing` why there is none."""
    if "seccomp" in missing:
        return None
    if not seccomp.machine_is_known():
        missing["seccomp"] = f"the numbers of system calls on {os.uname().machine} are not known"
        return None
    program = seccomp.build(may_open=may_open)
    if not _possible(_drop_privileges, lambda: program.load(os.getpid())):
        missing["seccomp"] = "refused here"
        return None
    return program


def _possible(*steps: Callable[[], None]) -> bool:
    """Return True where all steps succeed, tried in a child that ends after them."""
    pid = os.fork()
    if pid == 0:
        try:
            for step in steps:
                step()
            os._exit(0)
        finally:
            os._exit(1)
    return os.waitpid(pid, 0)[1] == 0


def allows(plan: Plan, step: Callable[[], None]) -> bool:
    """Return True where `step` raises nothing in a child that has given up root's rights as `plan` says.

    Landlock and seccomp are not in force there, so it is the rights of files and folders that are tried.
    """
    if os.geteuid() != 0:
        return True  # who is nobody else before and after loses no right to read
    steps: list[Callable[[], None]] = [] if plan.user is None else [partial(_become, plan.user)]
    if "no_new_privs" in plan.layers:
        steps.append(_drop_privileges)
    return _possible(*steps, step)


def _enter_namespaces(*, root: bool) -> bool:
    # An ordinary user may do so inside a user namespace, where the system allows those.
    if _unshare(CLONE_NEWNET | CLONE_NEWIPC | (0 if root else CLONE_NEWUSER)) != 0:
        return False
    if not root:
        _drop_capabilities()  # a user namespace begins with all of them, and its children would inherit them
    return True


def _unused_user() -> int | None:
    """Choose an account that nobody has, another one for each zygote: two classes must not reach each other's."""
    import pwd  # noqa: PLC0415 -- asks the system's directory of users, which only root has a use for

    for number in range(USERS):
        user = FIRST_USER + (os.getpid() + number) % USERS
        try:
            pwd.getpwuid(user)
        except KeyError:
            return user
    return None


# ---------------------------------------------------------------- in each student's process


def apply(limits: ResourceLimits, plan: Plan) -> tuple[str, ...]:
    """Lock the calling process down for good, and return the names of the layers that are in force.

    Raises OSError or ValueError where a step is refused; the caller must then end the process, since no student code
    may run in one that is locked by half.
    """
    if "rlimits" in plan.layers:
        limit_resources(limits)
        _, hard = resource.getrlimit(resource.RLIMIT_STACK)
        resource.setrlimit(resource.RLIMIT_STACK, (at_most(STACK_BYTES, hard), hard))
    if plan.user is not None:
        _become(plan.user)
    if "no_new_privs" in plan.layers:
        _drop_privileges()
    if plan.ruleset is not None:
        landlock.restrict(plan.ruleset)
        os.close(plan.ruleset)
    if "process" in plan.layers:
        # After the change of user, which clears both.
        control(PR_SET_DUMPABLE, 0)  # no core files, and no ptrace by another process of the same user
        control(PR_SET_PDEATHSIG, signal.SIGKILL)
    if plan.program is not None:
        plan.program.load(os.getpid())  # last, since it refuses all the above
    return plan.layers


def _become(user: int) -> None:
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)


def _drop_privileges() -> None:
    control(PR_SET_NO_NEW_PRIVS, 1)
    _drop_capabilities()


def _drop_capabilities() -> None:
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)  # version 3, this process
    _check(_capset(header, (ctypes.c_uint32 * 6)()), "capset")


def close_all_but(kept: Iterable[int]) -> None:
    """Close every descriptor that is not among `kept`: an inherited one is a way past every other layer."""
    first = 0
    for descriptor in sorted(kept):
        if first < descriptor:  # for an empty range CPython calls close_range(first, -1), which closes everything
            os.closerange(first, descriptor)
        first = descriptor + 1
    with contextlib.suppress(ValueError):
        os.closerange(first, os.sysconf("SC_OPEN_MAX"))
