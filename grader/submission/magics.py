"""What IPython's magics do, as Python: statements that they run, names that they bind, files that they run."""

import re
import shlex

from grader.records import dataclass
from grader.submission.newer_syntax import parses

# Line magics that bind no name in the notebook.
_BIND_NOTHING = """
alias autoreload bookmark cat cd check clear cls colors conda config connect_info cp debug dhist dirs doctest_mode env gui hist
history killbgscripts ldir less lf lk ll load load_ext loadpy logoff logon logstart logstate logstop ls lsmagic lx magic
mamba man matplotlib memit micromamba mkdir more mprun mv nbagg notebook pastebin pdb pdef pdoc pfile pinfo pinfo2 pip
popd pprint precision profile prun psearch psource pushd pwd pycat pylint quickref recall rehashx reload_ext reset
reset_selective rm rmdir run_line save sc set_env snakeviz sx system tb tensorboard timeit uv watermark who who_ls whos
xdel xmode
"""
BIND_NOTHING = frozenset(_BIND_NOTHING.split())
# Cell magics whose body is another language, or Python that runs elsewhere or not at all.
_NOT_THIS_PYTHON = """
! HTML R SVG bash bigquery cmd file html javascript js julia latex markdown md mermaid perl pypy python python2 python3
ruby script sh shell skip sql svg sx system writefile
"""
NOT_THIS_PYTHON = frozenset(_NOT_THIS_PYTHON.split())
RUN_THEIR_BODY = frozenset({"time", "timeit", "capture", "prun", "memit", "mprun", "lprun"})
# Those that run the statement behind them, and options before it.
_RUN_STATEMENT = {"time", "prun", "lprun", "mprun", "memit", "scalene", "snakeviz"}
_OPTIONS = re.compile(r"(?:--?(?:[lsTDfmurint][ \t]+[^\s=]+(?=[ \t]+\S)|\w+)[ \t]+)*")
_PYLAB = (
    "import numpy; import numpy as np; import matplotlib; import matplotlib.pyplot as plt; import matplotlib.pyplot as pyplot; "
    "from numpy.fft import *; from numpy.random import *; from numpy.linalg import *; from numpy import *"
)


@dataclass(frozen=True)
class Meaning:
    """One magic in Python."""

    python: str  # one line
    runs: str = ""  # the file that it runs
    is_unknown: bool = False  # nobody can tell what it does


def line_magic(name: str, rest: str, target: str = "") -> Meaning:
    """Return what ``%name rest`` does; its value is assigned to `target`, "" for none."""
    rest = rest.strip()
    nothing = Meaning(nothing_for(target))
    if name in _RUN_STATEMENT:
        statement = rest[_OPTIONS.match(rest).end() :] if name != "time" else rest.removeprefix("--no-raise-error")  # type: ignore[union-attr]
        if statement.lstrip().startswith("%"):
            inner, _, more = statement.strip().lstrip("%").partition(" ")
            return line_magic(inner, more, target)
        python = f"{target} = {statement.strip()}" if target else statement.strip()
        return Meaning(python) if python and "\n" not in python and parses(python) else nothing
    if name == "run" and (path := _path_of(rest)):
        return Meaning(nothing.python, runs=path)
    if name == "pylab":
        return Meaning(_PYLAB)
    if name == "aimport":
        wanted = [part.strip() for part in rest.split(",")]
        python = "; ".join(f"import {part}" for part in wanted if part and not part.startswith("-"))
        return Meaning(python) if python and parses(python) else nothing
    if name == "pwd" and target:
        return Meaning(f"{target} = '.'")
    return nothing if name in BIND_NOTHING else Meaning(nothing.python, is_unknown=True)


def nothing_for(target: str) -> str:
    """Return the Python line for what has no value here: None for each name, or `pass`."""
    return f"{target.replace(',', ' =')} = None" if target else "pass"


def _path_of(rest: str) -> str:
    """Return the file that ``%run`` runs: the first word that is no option."""
    try:
        words = shlex.split(rest.replace("\\", "/"))
    except ValueError:
        words = rest.split()
    if words[:1] == ["-m"]:
        return words[1].replace(".", "/") if len(words) > 1 else ""
    return next((word for word in words if not word.startswith("-")), "")
