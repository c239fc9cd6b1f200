"""The assignment's notebook runs from top to bottom, for the author of the solution and for a student who begins."""

from pathlib import Path

import nbformat
import pytest
from nbconvert.preprocessors import ExecutePreprocessor

from grader.rubric import bundled

ROOT = Path(__file__).resolve().parent.parent


def executed(path: Path, monkeypatch) -> str:
    """Run a notebook in a real kernel beside the data, and give all that it printed."""
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    monkeypatch.setenv("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    notebook = nbformat.read(path, as_version=4)
    runner = ExecutePreprocessor(timeout=120, kernel_name="python3")
    runner.preprocess(notebook, {"metadata": {"path": str(bundled())}})
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"]
    return "".join(output.text for output in outputs if output.output_type == "stream")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning", "ignore::RuntimeWarning")
def test_the_solution_notebook_tells_what_the_formulas_say(monkeypatch):
    """Each of its checks agrees: the published scores and losses, the gradients, and both trainings."""
    told = executed(ROOT / "reference" / "two_layer_net_solution.ipynb", monkeypatch)
    value = float(told.split("largest difference (below 1e-7):")[1].split()[0])
    assert value < 1e-7
    assert round(float(told.split("reg=0.05: loss ")[1].split()[0]), 11) == 1.30378789133
    for name in ("W1", "b1", "W2", "b2"):
        share = float(told.split(f"{name}: worst entry at ")[1].split()[0])
        assert share < 1
    assert float(told.split("final loss:")[1].split()[0]) < 0.1
    assert float(told.split("validation accuracy:")[1].split()[0]) > 0.9
    assert float(told.split("test accuracy:")[1].split()[0]) > 0.91


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning", "ignore::RuntimeWarning")
def test_the_skeleton_runs_before_anything_is_written(monkeypatch):
    """A student who runs all cells at the start sees None, and no traceback."""
    told = executed(bundled() / "two_layer_net.ipynb", monkeypatch)
    assert "your scores:\nNone" in told
    assert "reg=0.05: loss None" in told
    assert "test accuracy" not in told
