"""What an attack is after: a secret, files, sockets and a process, all watched.

A World is built outside the student's process. Where its things are is told to the attacks as a helper module, `world`,
handed in beside them: an attacker who guesses well loses nothing by being told.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import selectors
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VARIABLE = "GRADER_SECRET"
MIB = 1 << 20

# Says which signals came, one number a line; SIGKILL and SIGSTOP are seen by its state.
VICTIM = """
import signal, sys
for number in range(1, 65):
    try: signal.signal(number, lambda got, _frame: print(got, flush=True))
    except (OSError, ValueError): pass
print("ready", flush=True)
sys.stdin.read()  # until whoever started it is gone, however that ends
"""


class World:
    """The things to be attacked, and what became of them."""

    def __init__(self) -> None:
        self.token = secrets.token_hex(16)
        # Readable and writable by everybody: only the lock-down keeps a student's process away from it.
        self.folder = Path(tempfile.mkdtemp(prefix="world-"))
        self.folder.chmod(0o777)
        self.secret_file = self.folder / "secret.txt"
        self.secret_file.write_text(f"{self.token}\n", encoding="ascii")
        self.target_file = self.folder / "target.txt"
        self.target_file.write_text("as it was\n", encoding="ascii")
        for path in (self.secret_file, self.target_file):
            path.chmod(0o666)
        with suppress(OSError):  # a file system may have no attributes
            os.setxattr(self.secret_file, "user.note", self.token.encode())
        self._variable_before = os.environ.get(VARIABLE)
        os.environ[VARIABLE] = self.token
        self._sockets = self._listen()
        self._selector = selectors.DefaultSelector()
        for listener in self._sockets.values():
            self._selector.register(listener, selectors.EVENT_READ)
        self._victim = subprocess.Popen(
            [sys.executable, "-c", VICTIM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._victim.stdout is not None
        assert self._victim.stdout.readline() == "ready\n"
        os.set_blocking(self._victim.stdout.fileno(), False)
        self._before = self._state()

    def _listen(self) -> dict[str, socket.socket]:
        listeners = {"tcp": socket.create_server(("127.0.0.1", 0))}
        listeners["udp"] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        listeners["udp"].bind(("127.0.0.1", 0))
        self.unix_path = self.folder / "listener"
        listeners["unix"] = socket.socket(socket.AF_UNIX)
        listeners["unix"].bind(str(self.unix_path))
        self.unix_path.chmod(0o777)
        self.abstract = f"world-{secrets.token_hex(6)}"
        listeners["abstract"] = socket.socket(socket.AF_UNIX)
        listeners["abstract"].bind(f"\0{self.abstract}")
        for listener in listeners.values():
            if listener.type == socket.SOCK_STREAM:
                listener.listen()
            listener.setblocking(False)
        return listeners

    def as_module(self) -> str:
        """Return the source of the module `world` that goes with an attack."""
        facts = {
            "SECRET_FILE": str(self.secret_file),  # holds the token
            "TARGET_FILE": str(self.target_file),  # must stay as it is
            "FOLDER": str(self.folder),  # must stay as it is; everybody may write in it
            "TCP_PORT": self._sockets["tcp"].getsockname()[1],  # on 127.0.0.1
            "UDP_PORT": self._sockets["udp"].getsockname()[1],
            "UNIX_PATH": str(self.unix_path),  # a stream socket that everybody may connect to
            "ABSTRACT": self.abstract,  # the same in the abstract name space, without the leading zero byte
            "VICTIM": self._victim.pid,  # must receive no signal
            "GRADER": os.getpid(),  # has the token in its memory and in its environment
            "VARIABLE": VARIABLE,  # that environment variable
            "PROJECT": str(ROOT),  # holds reference/, assignment/ and grader/
            "PYTHON": sys.executable,
        }
        return "".join(f"{name} = {value!r}\n" for name, value in facts.items())

    # ---------------------------------------------------------------- what became of it

    def _state(self) -> dict[str, object]:
        return {
            "a file was changed": _tree(self.folder),
            "IPC was left": [Path(f"/proc/sysvipc/{kind}").read_text("ascii") for kind in ("shm", "sem", "msg")],
            # By a name of the attacks' own: other tests use the folder at the same time.
            "something was left in shared memory": sorted(Path("/dev/shm").glob("hostile*")),  # noqa: S108 -- only looked at
        }

    def breaches(self) -> list[str]:
        """Say what has happened that must not, and forget it."""
        found = [f"{kind}: something came" for kind in self._heard()]
        if self._victim.poll() is not None:
            found.append(f"the victim ended: {self._victim.returncode}")
        elif Path(f"/proc/{self._victim.pid}/stat").read_text("ascii").rpartition(")")[2].split()[0] == "T":
            found.append("the victim was stopped")
        assert self._victim.stdout is not None
        found += [f"the victim received signal {line.strip()}" for line in iter(self._victim.stdout.readline, "")]
        now = self._state()
        found += [what for what, before in self._before.items() if now[what] != before]
        self._before = now
        return found

    def _heard(self) -> list[str]:
        names = {listener: name for name, listener in self._sockets.items()}
        heard = []
        while ready := self._selector.select(0):
            for key, _ in ready:
                listener = key.fileobj
                assert isinstance(listener, socket.socket)
                if listener.type == socket.SOCK_STREAM:
                    listener.accept()[0].close()
                else:
                    listener.recv(1 << 16)
                heard.append(names[listener])
        return heard

    def close(self) -> None:
        """Take everything away."""
        self._victim.kill()
        self._victim.wait()
        assert self._victim.stdin is not None
        assert self._victim.stdout is not None
        self._victim.stdin.close()
        self._victim.stdout.close()
        for listener in self._sockets.values():
            listener.close()
        self._selector.close()
        shutil.rmtree(self.folder)
        if self._variable_before is None:
            del os.environ[VARIABLE]
        else:
            os.environ[VARIABLE] = self._variable_before


def _tree(folder: Path) -> dict[str, tuple[object, ...]]:
    """Return each file's content, rights, owner and time of change: whatever an attack could alter."""
    found = {}
    for path in sorted([folder, *folder.rglob("*")]):
        status = path.lstat()
        content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        attributes = [] if path.is_socket() else sorted(os.listxattr(path, follow_symlinks=False))
        found[str(path)] = (
            content,
            attributes,
            status.st_mode,
            status.st_uid,
            status.st_gid,
            status.st_mtime_ns,
            status.st_nlink,
        )
    return found


def descriptors_and_children(pid: int) -> tuple[int, str, int]:
    """Return how many descriptors this process and another have, and that one's children."""
    import_module("grader.locate.locate")._close()  # the search for lines, which is kept for as long as it stays small
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii")
    ours, theirs = (len(list(Path(f"/proc/{whose}/fd").iterdir())) for whose in ("self", pid))
    return ours, children, theirs


def wait_until(condition, seconds: float = 5.0) -> bool:
    """Wait for a condition that another process brings about."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True
