"""The folder of an assignment for a network of another depth, as `grader new` writes its rubric."""

import shutil

from grader.new_assignment import fit_depth, set_value
from grader.rubric import FILE, bundled


def write_deep(folder, depth, **chosen):
    """Write rubric and data for so many layers, with choices of [variant]; return the folder."""
    shutil.copytree(bundled() / "data", folder / "data")
    text = fit_depth((bundled() / FILE).read_text(encoding="utf-8"), depth)
    names = [f"{one}{k}" for k in range(1, depth + 1) for one in "Wb"]
    for key, value in {"names": names, **chosen}.items():
        text = set_value(text, "variant", key, value)
    (folder / FILE).write_text(text, encoding="utf-8")
    return folder
