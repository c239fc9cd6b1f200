"""On Python 3.14 annotations are evaluated late, and right programs may name in them what they never imported.

No CPython 3.14 needs to be installed for it: Pyodide is one, and npm has it.
"""

import json
import shutil
import subprocess
from pathlib import Path

import nbformat
import pytest

from grader.submission import load

pytestmark = [pytest.mark.slow, pytest.mark.untraced]
ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "tests" / "submissions"
RUN = """
import {loadPyodide} from "pyodide";
const [project, site, handedIn, code] = process.argv.slice(1);
const python = await loadPyodide();
for (const [there, here] of [["/project", project], ["/site", site], ["/handed_in", handedIn]]) python.mountNodeFS(there, here);
python.runPython("import sys; sys.path[:0] = ['/project']; sys.path.append('/site'); HANDED_IN = '/handed_in'");
console.log(python.runPython(code));
"""
METHODS = """
    def loss(self, X, y: {0} = None, reg: {0} = 0.0) -> {0}:
        return 0.0, {{}}
    def train(self, X: {0}, y: {0}, X_val: {0}, y_val: {0}, learning_rate: {0} = 1e-3) -> {0}:
        return {{}}
    def predict(self, X: {0}) -> {0}:
        return X
"""
DECORATED = """
import functools
def timed(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def inner(*positional: Any, **keywords: Any) -> Any:
        return function(*positional, **keywords)
    return inner
"""
FIELDS = "from dataclasses import dataclass, field\n@dataclass\nclass TwoLayerNet:\n    sizes: Optional[int] = None\n    params: Dict[str, X] = field(default_factory=dict)"
ANNOTATED = {
    "optional": "class TwoLayerNet:" + METHODS.format("Optional[np.ndarray]"),
    "union": "class TwoLayerNet:" + METHODS.format("'Tensor' | None"),
    "raises": "class TwoLayerNet:" + METHODS.format("[][0]"),
    "divides": "class TwoLayerNet:" + METHODS.format("1 / 0"),
    "dataclass": FIELDS + METHODS.format("Optional[int]"),
    "decorated": DECORATED + "class TwoLayerNet:" + METHODS.format("Any").replace("    def", "    @timed\n    def"),
}
# Each reads on 3.14, some of it with a SyntaxWarning, which is an error where it is read.
NEWER = {
    "finally": "class TwoLayerNet:\n    def loss(self, X):\n        try:\n            pass\n        finally:\n            return X\n",
    "t_string": "class TwoLayerNet:\n    def loss(self, X):\n        return t'{X} {X!r:>{1 + 1}}'\n",
    "except": "class TwoLayerNet:\n    def loss(self, X):\n        try:\n            pass\n        except A, B:\n            pass\n",
}


@pytest.fixture(scope="module")
def handed_in(tmp_path_factory):
    """Return a folder of the sample programs, with those whose annotations name nothing, and those of newer syntax."""
    folder = tmp_path_factory.mktemp("handed_in")
    shutil.copytree(SAMPLES, folder, dirs_exist_ok=True)
    for kind, programs in (("annotated", ANNOTATED), ("newer", NEWER)):
        for name, program in programs.items():
            (folder / f"{kind}_{name}.py").write_text(program, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def there(handed_in, tmp_path_factory):
    """Return what a CPython 3.14 or newer says of the folder."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("CPython 3.14 comes from npm and runs in Node.js; one of them is not here")
    folder = tmp_path_factory.mktemp("pyodide")
    got = subprocess.run(
        ["npm", "install", "--prefix", folder, "--no-audit", "--no-fund", "pyodide@314"],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    if got.returncode:
        pytest.skip(f"npm does not get pyodide: {got.stderr.strip()[-200:]}")
    site = Path(nbformat.__file__).parents[1]
    code = Path(__file__).with_name("newer_python.py").read_text(encoding="utf-8")
    ran = subprocess.run(
        ["node", "--input-type=module", "-e", RUN, "--", ROOT, site, handed_in, code],
        capture_output=True, text=True, timeout=300, check=False, cwd=folder,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr[-3000:]
    return json.loads(ran.stdout)


@pytest.mark.parametrize("name", ANNOTATED)
def test_annotations_that_name_nothing_cost_nothing(there, name):
    """They are not evaluated, and each method is called by name as anywhere."""
    assert there["version"] >= [3, 14]
    found = there["asked"][f"annotated_{name}.py"]
    named = {method: keywords for method, (_, by_position, keywords) in found["methods"].items() if not by_position}
    assert named == {"loss": ["X", "reg", "y"], "train": ["X", "X_val", "y", "y_val"], "predict": ["X"]}
    assert found["bound"] == ["rows", "labels"]
    # Asked as before, Python evaluates them.
    assert found["methods"]["predict"][0] in {"NameError", "TypeError", "IndexError", "ZeroDivisionError"}


@pytest.mark.parametrize("name", NEWER)
def test_newer_syntax_is_read(there, name):
    """Python's warnings of it are nobody's error."""
    assert not there["read"][f"newer_{name}.py"]["problem"]


def test_what_is_read_does_not_depend_on_the_version(there, handed_in, monkeypatch):
    """All samples are cut down to the same statements as here."""
    monkeypatch.chdir(handed_in)
    for path in sorted(path.name for path in SAMPLES.iterdir()):
        found = load(Path(path), class_name="TwoLayerNet", notebook="two_layer_net.ipynb")
        kept = [[text.label, list(text.kept)] for text in (*found.segments, *found.extras)]
        modules = [module.name for module in found.modules]
        assert there["read"][path] == {"kept": kept, "modules": modules, "problem": bool(found.problem)}, path
