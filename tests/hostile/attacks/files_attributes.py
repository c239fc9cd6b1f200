"""Changes a file's rights, owner, times and attributes, and reads the attributes of another."""

import ctypes
import os
import time

from world import FOLDER, SECRET_FILE, TARGET_FILE

libc = ctypes.CDLL(None, use_errno=True)
PATH = TARGET_FILE.encode()
FCHMODAT2 = 452
HERE = -100  # AT_FDCWD
NAME = "user.note"


def by_rights():
    os.chmod(TARGET_FILE, 0o777)
    os.chmod(TARGET_FILE, 0o666)
    return "changed"


def by_rights_of_a_descriptor():
    descriptor = os.open(TARGET_FILE, os.O_RDONLY)
    os.fchmod(descriptor, 0o777)
    os.fchmod(descriptor, 0o666)
    return "changed"


def by_owner():
    before = os.stat(TARGET_FILE)
    os.chown(TARGET_FILE, os.getuid(), 1)
    os.chown(TARGET_FILE, before.st_uid, before.st_gid)
    return "changed"


def by_new_attribute():
    os.setxattr(TARGET_FILE, NAME, b"mine")
    os.removexattr(TARGET_FILE, NAME)
    return "set one"


def by_attributes():
    for path in (SECRET_FILE, TARGET_FILE, FOLDER):
        for name in os.listxattr(path):
            return f"{path} {name} {os.getxattr(path, name)}"
    return ""


WAYS = {
    "rights": by_rights,
    "rights of a descriptor": by_rights_of_a_descriptor,
    "rights in C": lambda: libc.chmod(PATH, 0o666) == 0 or libc.syscall(FCHMODAT2, HERE, PATH, 0o666, 0) == 0,
    "owner": by_owner,
    # Nobody needs a right for this; it is noted as a change all the same, and takes set-user-id bits away.
    "owner as it is": lambda: libc.chown(PATH, -1, -1) == 0 and "changed its time of change",
    "time": lambda: os.utime(TARGET_FILE) or "changed",
    "time long ago": lambda: os.utime(TARGET_FILE, (0, 0)) or "changed",
    "time in C": lambda: libc.utimes(PATH, None) == 0 or libc.utimensat(HERE, PATH, None, 0) == 0,
    "time of the folder": lambda: os.utime(FOLDER, (time.time(), time.time())) or "changed",
    "new attribute": by_new_attribute,
    "attributes": by_attributes,
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
