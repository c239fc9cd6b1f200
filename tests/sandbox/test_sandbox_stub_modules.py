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


@pytest.mark.parametrize(
    "body",
    [
        "line, = plt.plot([1]); line.set_color('r')",
        "fig, ((a, b), (c, d)) = plt.subplots(2, 2); first, *rest = a.bar([1], [2]); *others, last = b.get_children()\nlast.remove()",
        "handles, labels, extra = plt.gca().get_legend_handles_labels()\nfor i, (x, y) in enumerate(handles): raise ValueError",
        "for ax, w in zip(plt.subplots(2)[1].flat, X): ax.imshow(w)\nassert [ax for ax in plt.gcf().axes] == []",
        "bar = plt.bar([1], [2])[0]; bar.get_x() + bar.get_width() / 2 - 3 * 1.05 * bar.get_height() ** 2; -abs(bar.x)",
        "high = plt.ylim()[1]\nif high > 3 or high <= 2 or high in [1] or high == 0: raise ValueError",
        "int(plt.x), float(plt.x), round(plt.x, 2), '%d %.2f %s' % (plt.x, plt.x, plt.x), f'{plt.x:.3f} {plt.x:>9} {plt.x:s}'",
        "assert int(matplotlib.__version__.split('.')[0]) >= 3 and isinstance(plt.x.__version__, str)",
        "with plt.style.context('ggplot'), plt.ioff() as state: state.x = 1; del state.x, state[0]",
        "np.arange(3) * plt.bar_width + 1; np.mean(plt.ylim()); np.array(plt.gcf().canvas.buffer_rgba()); range(plt.n)",
        "c = iter(plt.cm.rainbow([1])); next(c); next(c); assert len(list(enumerate(plt.x))) < 2000",
        "max(plt.ylim()) * 1.1; min(plt.xlim(), key=abs); list(plt.gcf().axes)[0].plot(X); sorted(plt.x); print(*plt.x, ''.join(map(str, plt.x)))",
        "for (a, b), c in zip([(1, 2)], itertools.cycle(plt.x)): pass\nc = itertools.cycle(plt.x); plt.plot(X, **next(c))",
        "gpus = tf.config.list_physical_devices('GPU')\nfor gpu in gpus: tf.config.experimental.set_memory_growth(gpu, True)",
        "plt.profile(relu)(1); next(plt.gca().prop_cycler)['color']; plt.gcf().savefig(1); copy.deepcopy(plt.gcf())",
        "try: raise KeyError\nexcept (matplotlib.MatplotlibError, KeyError): pass",
        "assert not isinstance(X, plt.Axes) and isinstance(X, (plt.Axes, np.ndarray)) and isinstance(X, np.ndarray | plt.Axes)",
        "mem = psutil.Process().memory_info().rss / 1024 ** 2; print(f'{mem:.1f} MB', mem > 5, min(mem, 3))",
        "run = wandb.init(config=dict(lr=1)); wandb.log({'loss': 1.0}); run.finish(); wandb.watch(None, log='all')",
        "w = SummaryWriter('runs/a'); w.add_scalar('loss', 1.0, 3); w.close()",
        "logger.info('x {}', 3); display('trained', 1.0); display(X); get_ipython().run_line_magic('matplotlib', 'inline')",
        "out = widgets.Output()\nwith out: display(widgets.IntSlider(value=3))",
        "Image.fromarray(X).resize((2, 2)).save('w.png'); cv2.imwrite('w.png', X); sio.savemat('a.mat', {})",
        "torch.manual_seed(1); torch.cuda.manual_seed_all(1); torch.backends.cudnn.deterministic = True; tf.random.set_seed(1)",
        "tf.compat.v1.set_random_seed(1); keras.utils.set_random_seed(1); set_seed(3); pd.set_option('display.width', 9)",
        "assert not torch.cuda.is_available() and not torch.is_tensor(X)\nwith torch.no_grad(): torch.device('cuda').type",
        "class Live(wandb.Callback): pass\nLive(3).on_epoch_end(X)",
        "class Net(sklearn.base.BaseEstimator, sklearn.base.ClassifierMixin): pass\nNet().params = 3",
        "import pathlib, os\n(pathlib.Path.home() / 'w.txt').write_text('x'); open(os.path.expanduser('~/log'), 'w').close()",
        "warnings.filterwarnings('ignore', category=sklearn.exceptions.ConvergenceWarning)",
        "assert np.allclose(cupy.get_array_module(X).ones(2), 1)",
    ],
)
def test_a_silent_stub_takes_every_use(lose, body):
    """What shows, logs or seeds has no part in the numbers, so no way of using it may stop a program."""
    reply = lose(SILENT, f"{body}\nreturn 1.0")
    assert reply.results == (1.0,), reply.error


SILENT = """
import copy, itertools, warnings, matplotlib, matplotlib.pyplot as plt, psutil, wandb, torch, tensorflow as tf, keras, cv2, cupy
import pandas as pd, ipywidgets as widgets, scipy.io as sio, sklearn.base, sklearn.exceptions
from loguru import logger
from PIL import Image
from torch.utils.tensorboard import SummaryWriter
from helpers import set_seed
def relu(x): return x
"""


def test_a_weight_is_never_lost_in_a_silent_stub(lose):
    """In sums it is silent; changing an array by it would make an answer out of nothing."""
    reply = lose("import wandb", "X -= wandb.config.lr * X\nreturn X")
    assert (reply.error.type, reply.error.message.partition(":")[0]) == ("StubError", "wandb.config.lr is a stub")


@pytest.mark.parametrize(
    ("top", "value", "result"),
    [
        ("import tqdm", "list(tqdm.tqdm([1])), list(tqdm.auto.tqdm([2])), list(tqdm.trange(1))", ([1], [2], [0])),
        ("import tqdm.notebook as t", "[i for i in t.trange(2, desc='x')]", [0, 1]),
        (
            "from tqdm.contrib import tenumerate, tzip",
            "list(tenumerate('a')) + list(tzip([1], [2]))",
            [(0, "a"), (1, 2)],
        ),
        ("from tqdm.contrib.concurrent import process_map", "process_map(abs, [-1], max_workers=2)", [1]),
        (
            "from tqdm.autonotebook import tqdm",
            "tqdm.pandas() and [tqdm(total=3).set_postfix(a=1) is None, *tqdm([7])]",
            [False, 7],
        ),
        (
            "from rich.progress import track, Progress",
            "list(track([1], description='x')) + list(Progress().track([2]))",
            [1, 2],
        ),
        (
            "from fastprogress import master_bar, progress_bar",
            "[j for i in master_bar([1]) for j in progress_bar([i], parent=None)]",
            [1],
        ),
        ("from alive_progress import alive_it", "list(alive_it([1]))", [1]),
        (
            "import progressbar",
            "list(progressbar.progressbar([1])) + list(progressbar.ProgressBar(max_value=2)([2]))",
            [1, 2],
        ),
        ("from progress.bar import Bar", "list(Bar('Training', max=3).iter([4])) + [Bar('x', max=3).total]", [4, 3]),
        ("from joblib import Parallel, delayed", "Parallel(n_jobs=2)(delayed(pow)(i, 2) for i in range(3))", [0, 1, 4]),
        ("from joblib import Memory\n@Memory('c', verbose=0).cache(ignore=['x'])\ndef f(x): return x", "f(2)", 2),
        ("import numba as nb\n@nb.njit(nb.float64(nb.float64[:, ::1]), cache=True)\ndef f(x): return x", "f(2)", 2),
        ("import numba\n@numba.jit('f8(f8)', nopython=True)\ndef f(x): return x", "f(2)", 2),
        ("from numba import njit, types\n@njit([types.f8(types.f8)])\ndef f(x): return x", "f(2)", 2),
        (
            "from numba.experimental import jitclass\nfrom numba import float64\n@jitclass([('x', float64[:])])\nclass A: x = 3",
            "A().x",
            3,
        ),
        (
            "from numba import vectorize\n@vectorize(['f8(f8)'])\ndef f(x): return x if x > 0 else 0",
            "f(np.array([-1., 2.5])).tolist()",
            [0, 2.5],
        ),
        ("from numba.typed import Dict, List", "[dict(Dict.empty(1, 2)), list(List([1]))]", [{}, [1]]),
        ("import tensorflow as tf\n@tf.function(jit_compile=True)\ndef f(x): return x", "f(2)", 2),
        ("import functools, jax\n@functools.partial(jax.jit, static_argnums=0)\ndef f(x): return x", "f(2)", 2),
        ("from typing_extensions import override, Literal\n@override\ndef f(x: Literal[2]): return x", "f(2)", 2),
        ("from termcolor import colored\nfrom icecream import ic", "colored('a', 'red') + ic('b')", "ab"),
    ],
)
def test_what_passes_things_on_does_so(lose, top, value, result):
    """Progress bars, decorators and helpers that have a part in the program do it in full."""
    reply = lose(top, f"return {value}")
    assert reply.results == (result,), reply.error


def test_a_progress_bar_writes(lose):
    """What is written past the bar is printed, as at home."""
    reply = lose("from tqdm import tqdm", "for i in tqdm([1]): tqdm.write(f'loss {i}')\nreturn 1.0")
    assert (reply.results, reply.printed) == ((1.0,), "loss 1\n")


@pytest.mark.parametrize(
    "annotation",
    [
        "np.ndarray | torch.Tensor",
        "torch.Tensor | np.ndarray | None",
        "None | pd.DataFrame",
        "Optional[torch.Tensor]",
        "dict[str, plt.Axes | None]",
        "Union[np.ndarray, torch.Tensor]",
        "list[np.ndarray] | torch.Tensor",
        "Float[Array, 'n d']",
    ],
)
def test_types_of_missing_modules_annotate(lose, annotation):
    """Annotations compute nothing."""
    top = "import torch, pandas as pd, matplotlib.pyplot as plt\nfrom jaxtyping import Float, Array\nfrom typing import Optional, Union"
    assert lose(f"{top}\ndef f(x: {annotation}) -> {annotation}: return x", "return f(2)").results == (2,)


def test_types_of_missing_modules_are_nobodys(lose):
    """isinstance, except and type comparisons work, and the rest of a union counts."""
    body = """
try:
    raise KeyError
except torch.cuda.OutOfMemoryError:
    return 'wrong'
except (sklearn.exceptions.NotFittedError, KeyError):
    pass
kinds = isinstance(X, torch.Tensor), issubclass(dict, pd.DataFrame), type(X) == torch.Tensor, type(X) is torch.Tensor
return any(kinds), isinstance(X, np.ndarray | torch.Tensor), isinstance(X, (torch.Tensor, np.ndarray))
"""
    assert lose("import torch, pandas as pd, sklearn.exceptions", body.strip()).results == ((False, True, True),)


@pytest.mark.parametrize("derive", ["jax.grad(f)", "jax.vmap(f, in_axes=0)", "jax.value_and_grad(f)"])
def test_what_makes_another_function_computes(lose, derive):
    """A derivative is not the function itself."""
    reply = lose("import jax\ndef f(x): return x", f"return {derive}(2.0)")
    assert reply.error.type == "StubError"


def test_a_module_that_is_asked_for_is_not_there(lose):
    """find_spec says None for what has a stub, whichever way it is reached, and finds what there is."""
    top = "import importlib, importlib.util\nfrom importlib.util import find_spec"
    body = "return [find_spec('cupy'), importlib.util.find_spec('torch'), find_spec('json') is None]"
    assert lose(top, body).results == ([None, None, False],)


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
        ("import torch", "with torch.ops: pass", "torch.ops"),
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


@pytest.mark.parametrize(
    ("top", "value", "result"),
    [
        ("from random import xavier", "xavier()", "mine"),
        ("import random", "random.xavier(), random.Random(1).random() < 1", ("mine", True)),
        ("import random as r, types", "r.xavier(), types.mine, types.SimpleNamespace(a=1).a", ("mine", 3, 1)),
        ("import code.layers", "code.layers.relu(2)", 2),
        ("import code.layers as l, code", "l.relu(2), code.top", (2, 1)),
        ("from code import layers, top", "layers.relu(2), top", (2, 1)),
        ("from code.layers import relu\nimport os", "relu(2), os.sep", (2, "/")),
        ("import os, io, warnings", "os.mine, io.mine, warnings.mine, os.getpid() > 0", (4, 5, 6, True)),
        ("from queue import *", "Fifo, tempfile.template", (7, "tmp")),
    ],
)
def test_a_handed_in_module_wins_over_pythons(lose, top, value, result):
    """Python, numpy and the sandbox go on with their own, and what the student's lacks is there all the same."""
    modules = {
        "random": "import random as again\ndef xavier(): return 'mine'",
        "types": "mine = 3",
        "code": "top = 1",
        "code.layers": "from . import top\ndef relu(x): return x",
        "os": "mine = 4",
        "io": "mine = 5",
        "warnings": "mine = 6",
        "queue": "Fifo = 7",
    }
    reply = lose(
        top,
        f"import tempfile, secrets, string\nnp.random.default_rng(3); np.float64(1) / 0\nreturn {value}",
        modules=modules,
    )
    assert reply.results == (result,), reply.error


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
