"""Lists the names in folders that are not its own: the project's, the class's, the temporary and the root folder."""

import ctypes
import glob
import os
import pathlib

from world import FOLDER, PROJECT

libc = ctypes.CDLL(None, use_errno=True)
libc.opendir.restype = libc.readdir.restype = ctypes.c_void_p


def by_opendir():
    folder = libc.opendir(FOLDER.encode())
    entries = iter(lambda: libc.readdir(ctypes.c_void_p(folder or 1 / 0)), None)
    return next(name for name in (ctypes.string_at(entry + 19) for entry in entries) if name.strip(b"."))


WAYS = {
    "listdir": lambda: os.listdir(FOLDER),
    "scandir": lambda: [entry.name for entry in os.scandir(PROJECT)],
    "walk": lambda: next(iter(os.walk("/tmp")), ()),
    "pathlib": lambda: [str(path) for path in pathlib.Path("/").iterdir()][:5],
    "glob": lambda: glob.glob(f"{FOLDER}/*"),
    "opendir": by_opendir,
    "descriptor": lambda: os.listdir(os.open(PROJECT, os.O_RDONLY | os.O_DIRECTORY)),
    "path alone": lambda: os.listdir(f"/proc/self/fd/{os.open(PROJECT, os.O_PATH)}/"),
    "own root": lambda: os.listdir(f"/proc/self/root{PROJECT}"),
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
