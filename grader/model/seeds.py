"""What is derived from a grading's seed. The seed itself never leaves the grader's own processes."""

import hashlib
from functools import lru_cache

# A seed given by hand has 32 bits or fewer: a plain hash would be undone in seconds, by trying all. This one takes 50 ms a
# seed, 7 years for all.
_SLOW = {"n": 2**14, "r": 8, "p": 1, "maxmem": 64 << 20, "dklen": 64}
_SALT = b"twolayer-grader seed id"


@lru_cache(maxsize=16)
def _stretch(seed: int) -> bytes:
    return hashlib.scrypt(str(seed).encode(), salt=_SALT, **_SLOW)


def seed_id(seed: int) -> str:
    """Return what tells a seed from another without giving it away, 16 hexadecimal digits."""
    return _stretch(seed)[:8].hex()


def derive_number(seed: int, purpose: str, size: int) -> int:
    """Return a number of `size` bytes for one purpose, from which nobody finds the seed or another purpose's number.

    A student's process is given such numbers, and arrays drawn from them.
    """
    # The second block of scrypt's output: the first has the ID, which is no secret.
    hashed = hashlib.blake2b(purpose.encode(), key=_stretch(seed)[32:], digest_size=size)
    return int.from_bytes(hashed.digest(), "big")
