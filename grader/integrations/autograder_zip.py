"""The zip that Gradescope takes: how to set up and run, hidden questions, the grader's wheel and the versions that it needs."""

import os
import re
import subprocess
import sys
import zipfile
from functools import partial
from importlib import metadata
from importlib.resources import files
from pathlib import Path

from grader.integrations.gradescope_run import QUESTIONS
from grader.reports.gradescope import to_no_grade
from grader.rubric import bundled
from grader.text.sanitise import one_line


class WheelError(Exception):
    """The grader's wheel cannot be built; the text says why and how to mend it."""


def build_wheel(folder: Path) -> Path:
    """Return the wheel of this clone, built into a folder; it holds no reference. Raises WheelError."""
    words = ["-m", "pip", "wheel", "-q", "--no-deps", "-w", str(folder), str(bundled().parent)]
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False)  # noqa: S603 -- pip, of our own clone
    found = sorted(folder.glob("*.whl"))
    if done.returncode or len(found) != 1:
        errors = (line for line in done.stderr.splitlines() if line.lstrip().lower().startswith("error"))
        why = next(errors, done.stderr).strip()
        raise WheelError(
            f"The grader's wheel cannot be built: {one_line(why) or 'pip says nothing'}. That takes pip, which"
            " `python -m ensurepip` installs, and a network or hatchling's wheel at hand."
        )
    return found[0]


def pin_versions() -> str:
    """Return requirements.txt: all that the grader needs, in the versions that are installed here; first, with which Python."""
    found: dict[str, str] = {}
    waiting = ["twolayer-grader"]
    while waiting:
        for line in metadata.requires(waiting.pop()) or ():
            asked, _, marker = line.partition(";")
            (name,) = re.findall(r"^[\w.-]+", asked)
            if "extra ==" in marker or name in found:
                continue
            try:
                found[name] = f"{name}=={metadata.version(name)}{marker and ';'}{marker}"
            except metadata.PackageNotFoundError:
                continue  # other systems or Pythons need it
            waiting.append(name)
    python = f"# python{sys.version_info.major}.{sys.version_info.minor}"
    return "\n".join((python, *sorted(found.values()), ""))


def write_zip(out: Path, questions: bytes, wheel: Path) -> None:
    """Write the zip, for its owner alone, whole or not at all; questions : frozen, with hidden checks. Raises OSError."""
    scripts = files("grader.integrations") / "gradescope"
    members = {
        # Read as text: a clone on Windows may end lines in another way.
        **{
            name: (0o755, (scripts / name).read_text(encoding="utf-8").encode())
            for name in ("setup.sh", "run_autograder")
        },
        "requirements.txt": (0o644, pin_versions().encode()),
        "no_grade.json": (0o644, to_no_grade("It was stopped before it was done.").encode()),
        wheel.name: (0o644, wheel.read_bytes()),
        QUESTIONS: (0o600, questions),
    }
    try:
        with (
            open(out, "xb", opener=partial(os.open, mode=0o600)) as file,
            zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed,
        ):
            for name, (mode, data) in members.items():
                info = zipfile.ZipInfo(name)
                info.external_attr = mode << 16
                packed.writestr(info, data, zipfile.ZIP_DEFLATED)
    except FileExistsError:
        raise
    except BaseException:
        out.unlink(missing_ok=True)
        raise
