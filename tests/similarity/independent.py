"""Programs that were written independently of each other, as the class that the tests compare."""

from __future__ import annotations

import ast
import json
from functools import cache
from pathlib import Path

from grader.model.similar_programs import Program, Text
from grader.submission import load
from handwritten import PROGRAMS

TESTS = Path(__file__).resolve().parent.parent
# The solution, and what was written from scratch. The other submissions are the solution with one thing changed, and two
# notebooks are right_half_logsumexp.py again, taken apart; test_similarity_pairs.py holds that these are found.
FROM_SCRATCH = (
    "right_vectorised.ipynb",
    "right_assignment2_layers",
    "right_bias_trick.py",
    "right_class_by_class.py",
    "right_closures.py",
    "right_columns_are_examples.py",
    "right_end_of_epoch.py",
    "right_float32_inside.py",
    "right_functions_in_cells.ipynb",
    "right_graph_steps.py",
    "right_greek_names.py",
    "right_half_logsumexp.py",
    "right_layer_objects.py",
    "right_loops.py",
    "right_onehot_product.py",
    "right_optimizer_keywords.py",
    "right_python2_looking.py",
    "right_softmax_jacobian.py",
    "right_subclass_of_classifier.py",
    "right_tape_tensors.py",
    "right_tensordot.py",
    "right_typed_dataclasses.py",
)
SAME_HAND = ("right_half_logsumexp.py", "right_decorated_methods.ipynb", "right_setattr_loop.ipynb")


def program(name: str, *sources: str) -> Program:
    """Return a program, one text for each source, all of which is compared."""
    texts = tuple(Text(f"{name}, text {number}", source) for number, source in enumerate(sources, 1))
    return Program(name, texts, tuple(_all(source) for source in sources))


def _all(source: str) -> tuple[int, ...]:
    try:
        return tuple(range(len(ast.parse(source).body)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return (0,)


@cache
def submitted(name: str) -> Program:
    """Return one of tests/submissions, reduced to what is graded."""
    found = load(TESTS / "submissions" / name, class_name="TwoLayerNet", notebook="two_layer_net.ipynb")
    assert found.problem is None, found.problem
    segments = [*found.segments, *(module.segment for module in found.modules)]
    texts = tuple(Text(segment.label, segment.source) for segment in segments)
    return Program(name, texts, tuple(segment.kept for segment in segments))


@cache
def honest() -> dict[str, Program]:
    """Return a class of thirty in which nobody copied."""
    written = {name: program(name, source) for name, source in PROGRAMS.items()}
    return written | {name: submitted(name) for name in FROM_SCRATCH}


@cache
def skeleton() -> Program:
    """Return the former notebook, in which these programs were written."""
    path = TESTS / "submissions" / "unfinished_skeleton.ipynb"
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    sources = ["".join(cell["source"]).replace("%matplotlib", "#") for cell in cells if cell["cell_type"] == "code"]
    return program("skeleton", *sources)


def source_of(one: Program) -> str:
    """Return all statements of a program as one text."""
    bodies = [ast.parse(text.source).body for text in one.texts]
    kept = [body[index] for body, indices in zip(bodies, one.compared, strict=True) for index in indices]
    return ast.unparse(ast.Module(kept, []))
