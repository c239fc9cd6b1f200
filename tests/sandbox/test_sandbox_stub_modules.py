"""Modules that are missing: what is given in their place, and what is said when that is not enough."""

import pytest

BODY = "    def __init__(self, *sizes): self.params = {}\n    def loss(self, X, y=None, reg=0.0):\n"


@pytest.fixture
def lose(ask, question):
    """Load `top` and give the reply of a network whose loss is `body`."""

    def run(top, body="return 1.0", **parts):
        lines = "\n".join("        " + line for line in body.splitlines())
        result = ask(f"import numpy as np\n{top}\nclass TwoLayerNet:\n{BODY}{lines}", question("q"), **parts)
        assert result.load.outcome == "returned", result.load.error
        return result.replies["q"]

    return run


@pytest.mark.parametrize(
    ("top", "value", "result"),
    [
        ("from past.builtins import xrange", "list(xrange(3))", [0, 1, 2]),
        ("from six.moves import xrange, cPickle, zip", "cPickle.loads(cPickle.dumps(list(zip([1], [2]))))", [(1, 2)]),
        ("from builtins import range, object", "list(range(2))", [0, 1]),
        ("from future.builtins import *", "list(range(2))", [0, 1]),
        ("from past.utils import old_div", "old_div(7, 2)", 3),
        ("import six", "list(six.iteritems({'a': 1}))", [("a", 1)]),
        ("import cPickle as pickle", "pickle.loads(pickle.dumps(5))", 5),
        ("from tqdm import tqdm, trange", "[sum(tqdm([1, 2], desc='x')), list(trange(2))]", [3, [0, 1]]),
        ("from tqdm.notebook import tqdm\nbar = tqdm(total=3); bar.update(1)", "len(tqdm([1, 2]))", 2),
        (
            "from numba import jit, njit\n@jit(nopython=True)\ndef f(x): return x\n@njit\ndef g(x): return x",
            "f(1) + g(1)",
            2,
        ),
        ("from __future__ import division, print_function", "1 / 2", 0.5),
    ],
)
def test_compatibility_modules_give_the_real_thing(lose, top, value, result):
    """Python 2 and 3 bridges, tqdm and numba change no number, so they are stood in for in full."""
    assert lose(top, f"return {value}").results == (result,)


def test_plots_are_silently_done(lose):
    """Whatever a training loop draws, nothing happens, and the numbers come back."""
    top = """
import matplotlib
matplotlib.use('Agg')
import matplotlib.pyplot as plt, seaborn as sns
from matplotlib import cm
from mpl_toolkits.mplot3d import Axes3D
from IPython.display import clear_output, display
from google.colab import drive
from cs231n.vis_utils import visualize_grid
from IPython import get_ipython
get_ipython().magic('matplotlib inline')
drive.mount('/content')
plt.rcParams['figure.figsize'] = (10.0, 8.0)
"""
    body = """
fig, axes = plt.subplots(2, 2)
axes[0, 1].plot([1, 2]); fig.tight_layout()
plt.imshow(visualize_grid(X, padding=3).astype('uint8')); plt.gca().axis('off'); plt.show()
with sns.axes_style('white'):
    clear_output(wait=True)
return float(len(X))
"""
    reply = lose(top, body)
    assert reply.results == (6.0,), reply.error


def test_what_stands_in_is_noted_once(ask, question):
    """The report says which modules were not there; compatibility modules, given in full, need no note."""
    source = f"import matplotlib.pyplot as plt\nimport scipy.special\nfrom past.builtins import xrange\nclass TwoLayerNet:\n{BODY}        import torch"
    run = ask(source, question("a"), question("b"))
    assert run.load.warnings == (
        "the module matplotlib is not installed in the grader: a stub took its place",
        "the module scipy is not installed in the grader: a stub took its place",
    )
    assert run.replies["a"].warnings == ("the module torch is not installed in the grader: a stub took its place",)
    assert run.replies["b"].warnings == ()


@pytest.mark.parametrize(
    ("top", "body", "name"),
    [
        ("from scipy.special import expit", "return expit(X)", "scipy.special.expit"),
        ("import scipy.special", "return scipy.special.expit(X)", "scipy.special.expit"),
        ("import torch", "return torch.nn.functional.relu(X)", "torch.nn.functional.relu"),
        ("import sklearn.metrics as m", "return m.pi + 1", "sklearn.metrics.pi"),
        ("import torch", "return 2 * torch.pi", "torch.pi"),
        ("import torch", "return np.exp(torch.pi)", "torch.pi"),
        ("import torch", "return X + torch.pi", "torch.pi"),
        ("import torch", "for x in torch.data: pass", "torch.data"),
        ("import torch", "with torch.no_grad: pass", "torch.no_grad"),
        ("import torch", "if torch.cuda: pass", "torch.cuda"),
        ("from layers import affine_forward", "return affine_forward(X, 1, 2)", "layers.affine_forward"),
        ("from layers import Base\nclass Net(Base): pass", "return Net()", "layers.Base"),
    ],
)
def test_computing_with_a_stand_in_says_what_is_missing(lose, top, body, name):
    """The message names the thing, the module, and the two ways to mend it."""
    reply = lose(top, body)
    module = name.partition(".")[0]
    assert reply.error.type == "StubError"
    assert reply.error.message == (
        f"{name} is a stub: the module {module} is not installed in the grader; use numpy"
        f" (or hand {module}.py in, if it is a file of your own)"
    )


def test_a_stand_in_decorates(lose):
    """`@memory.cache` on one function gives the function back."""
    assert lose("from joblib import memory\n@memory.cache\ndef f(): return 4.0", "return f()").results == (4.0,)


def test_star_imports_of_a_stand_in_load(lose):
    """They bring no name, which is seen where a name is used."""
    reply = lose("from layers import *\nfrom matplotlib.pyplot import *", "return affine_forward(X)")
    assert (reply.error.type, reply.error.message) == ("NameError", "name 'affine_forward' is not defined")


def test_a_class_that_was_not_handed_in_is_named(ask, question):
    """The notebook imports the class from a file that is not there: the load says so."""
    run = ask("from cs231n.classifiers.neural_net import TwoLayerNet", question("q"))
    assert run.load.error.type == "ImportError"
    assert run.load.error.message.startswith(
        "cs231n.classifiers.neural_net.TwoLayerNet is a stub: the module cs231n is"
    )


def test_an_import_that_may_fail_fails(lose):
    """Where the student is ready to do without a module, that path is taken."""
    top = "try:\n    import cupy as xp\nexcept ImportError:\n    xp = np"
    assert lose(top, "return float(xp.ones(3).sum())").results == (3.0,)
    assert lose("", "try:\n    from scipy.special import expit\nexcept Exception:\n    return 'without'").results == (
        "without",
    )


def test_helper_modules_are_imported_from_their_text(ask, question):
    """By dotted name, packages above them empty, relative imports and module-level failures included."""
    modules = {
        "layers": "import numpy as np\nbroken = undefined\ndef relu(x): return np.maximum(0, x)",
        "cs231n.classifiers.base": "from .tools import twice\nclass Base:\n    def __init__(self, *sizes): self.params = {}",
        "cs231n.classifiers.tools": "def twice(x): return 2 * x",
        "statistics": "mean = 'mine'",
    }
    source = (
        "from layers import relu\nfrom cs231n.classifiers.base import Base, twice\nimport cs231n.fast_layers\nimport statistics\n"
        "class TwoLayerNet(Base):\n    def loss(self, X, y=None, reg=0.0): return twice(relu(-X)), statistics.mean"
    )
    run = ask(source, question("q"), modules=modules)
    assert run.load.error is None
    assert "layers.py, line 2 failed and was skipped: NameError: name 'undefined' is not defined" in run.load.warnings
    assert run.replies["q"].results[0][0].shape == (6, 4)
    assert run.replies["q"].results[0][1] == "mine"


def test_an_error_in_a_helper_module_is_placed_there(ask, question):
    """Places go through the notebook into the helper, with our copy of both texts."""
    source = f"from layers import relu\nclass TwoLayerNet:\n{BODY}        return relu(X)"
    run = ask(source, question("q"), modules={"layers": "def relu(x):\n    return x.max(7)"})
    places = [str(place) for place in run.replies["q"].error.places]
    assert places == ["code cell 1, line 5: `return relu(X)`", "layers.py, line 2: `return x.max(7)`"]


def test_a_helper_module_that_does_not_import_fails_the_load(ask):
    """A failing definition in a helper is a failing import in the notebook, with the helper's line."""
    run = ask("from layers import relu", modules={"layers": "class Relu:\n    1 / 0"})
    assert run.load.error.type == "ZeroDivisionError"
    assert str(run.load.error.places[-1]) == "layers.py, line 2: `1 / 0`"


def test_xrange_is_range(ask, network, question):
    """A lone `xrange` of Python 2 costs nothing: the loader notes it."""
    reply = ask(network() + "\n\nNUMBERS = list(xrange(3))\n", question("first")).replies["first"]
    assert reply.outcome == "returned"
