"""The students' notebook is the solution without its marked regions, and nothing else."""

from pathlib import Path

import nbformat
import pytest

from grader.release import ReleaseError, build_release, strip_regions
from grader.rubric import bundled

SOLUTION = Path(__file__).resolve().parent.parent / "reference" / "two_layer_net_solution.ipynb"


def test_the_skeleton_is_built_from_the_solution():
    """Nobody edits the students' notebook by hand: rebuilding it gives the same bytes."""
    assert (bundled() / "two_layer_net.ipynb").read_text(encoding="utf-8") == build_release(SOLUTION)


def test_nothing_of_the_solution_is_left():
    """No line that stands only in a marked region is in the skeleton, and no output either."""
    text = build_release(SOLUTION)
    notebook = nbformat.reads(text, as_version=4)
    nbformat.validate(notebook)
    lines = {line.strip() for cell in notebook.cells for line in cell.source.splitlines()}
    inside, secret = False, set()
    for cell in nbformat.read(SOLUTION, as_version=4).cells:
        for line in cell.source.splitlines():
            if "END SOLUTION" in line:
                inside = False
            if inside:
                secret.add(line.strip())
            if "BEGIN SOLUTION" in line:
                inside = True
    trivial = {")", "", "best_hyperparameters = dict(", "np.random.seed(0)"}  # these stand outside as well
    assert len(secret) > 30
    assert not (secret - trivial) & lines
    assert "SOLUTION" not in text
    assert all(not cell.get("outputs") for cell in notebook.cells)
    assert text.count("# YOUR CODE") >= 8


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("a\n### BEGIN SOLUTION\nb", "cell 3: the region of line 2 has no ### END SOLUTION."),
        ("a\n### END SOLUTION", "cell 3, line 2: ### END SOLUTION without ### BEGIN SOLUTION before it."),
        ("### BEGIN SOLUTION\n### BEGIN SOLUTION\n### END SOLUTION", "cell 3, line 2: ### BEGIN SOLUTION again"),
        ("## BEGIN SOLUTION\nb\n## END SOLUTION", "found '## BEGIN SOLUTION'; a mark is exactly '### BEGIN SOLUTION'"),
    ],
)
def test_a_half_marked_region_is_refused(source, said):
    """A region that is not closed would hand the solution to a whole class."""
    with pytest.raises(ReleaseError) as caught:
        strip_regions(source, "cell 3")
    assert said in str(caught.value)


def test_a_region_leaves_its_place_and_indentation():
    """What stays is valid Python around a comment."""
    source = "def f():\n    x = None\n    ### BEGIN SOLUTION\n    x = 1\n    ### END SOLUTION\n    return x"
    assert strip_regions(source, "cell 1") == "def f():\n    x = None\n    # YOUR CODE\n    return x"


def test_a_missing_solution_is_said_plainly(tmp_path):
    """The command that builds the notebook names the file that it could not read."""
    with pytest.raises(ReleaseError, match="cannot be read"):
        build_release(tmp_path / "nowhere.ipynb")
