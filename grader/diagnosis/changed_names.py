"""Exceptions that come from the version that runs: a name that numpy or Python removed, a thing that they do otherwise now."""

import re
from collections.abc import Mapping

from grader.sandbox.older_names import METHODS, NUMPY

_NAME = re.compile(
    r"module 'numpy(?:\.\w+)*' has no attribute '(?P<attribute>\w+)'|`np\.(?P<removed>\w+)` was removed in the NumPy "
    r"(?P<version>[\d.]+) release\.(?: (?P<mend>Use .*))?|cannot import name '(?P<imported>\w+)' from 'numpy"
)
_METHOD = re.compile(
    rf"(?:ndarray' object has no attribute '|`)({'|'.join(METHODS)})(?:'|` was removed from the ndarray)"
)
_MODULE = re.compile(r"No module named '(numpy(?:\.\w+)+)'")
# What the message has | since which version | what that means | what to do
CHANGED = (
    (r"Unable to avoid copy while creating an array", "numpy 2.0", "np.array(..., copy=False) raises where it must copy", "Write np.asarray(...)."),
    (r"only 0-dimensional arrays can be converted", "numpy 2.4", "an array of one entry is no number", "Take its entry: array.item()."),
    (r"^setting an array element with a sequence\.$", "numpy 2.4", "an array is no number, not even one of one entry",
     "Print the shape of the value that is stored; array.item() returns the only entry."),
    (r"inhomogeneous shape", "numpy 1.24", "lists of different lengths cannot become an array", "Print the lengths: should they differ? If so, keep the list."),
    (r"Python integer -?\d+ out of bounds", "numpy 2.0", "a whole number that does not fit the array's type raises", "Convert the array first: array.astype(int)."),
    (r"unexpected keyword argument 'newshape'", "numpy 2.4", "reshape() has no newshape", "Write shape=..., or no name at all."),
    (r"Calling np\.sum\(generator\)", "numpy 2.4", "np.sum() takes no generator", "Write sum(...)."),
    (r"must be \(arrays of\) 3-dimensional vectors", "numpy 2.5", "np.cross() takes no vectors of two", "Write a[0] * b[1] - a[1] * b[0]."),
    (r"module 'inspect' has no attribute 'getargspec'", "Python 3.11", "inspect.getargspec() is gone", "Write inspect.getfullargspec(...)."),
    (r"Population must be a sequence", "Python 3.11", "random.sample() takes no set", "Write random.sample(sorted(...), k)."),
)  # fmt: skip


def explain_version(message: str, versions: Mapping[str, str], where: str = "") -> tuple[str, str] | None:
    """Return in a sentence which version an exception comes from, and what to write; None where versions explain nothing.

    versions : "python" and "numpy" of the process that raised it. where : put behind the name, such as " (line 3)".
    """
    here = f"numpy {versions.get('numpy', '')}".rstrip()
    if found := _NAME.search(message):
        name = found["attribute"] or found["removed"] or found["imported"]
        since, instead = next(((one, names[name]) for one, names in NUMPY.items() if name in names), ("", ""))
        gone = f"{here} has no np.{name}{where}"
        if found["version"] or since:
            mend = f"Write {instead}." if instead else found["mend"] or "numpy's release notes name the replacement."
            return f"{gone}: it was removed in numpy {since or found['version']}.", mend.partition("\n")[0]
        return f"{gone}.", "Look it up in numpy's reference: is this the right name, and do all versions have it?"
    if found := _METHOD.search(message):
        since, instead = METHODS[found[1]]
        return f"{here} has no array.{found[1]}(){where}: it was removed in numpy {since}.", f"Write {instead}."
    if found := _MODULE.search(message):
        return (
            f"{here} has no module {found[1]}{where}.",
            "Do without it: other versions may have it, and this one has not.",
        )
    for pattern, since, what, mend in CHANGED:
        package, _, version = since.partition(" ")
        running = versions.get(package.lower(), "")
        if re.search(pattern, message) and (not running or _numbers(version) <= _numbers(running)):
            return f"{package} {running}".rstrip() + f" stops here{where}: {what}, since {since}.", mend
    return None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:2])
