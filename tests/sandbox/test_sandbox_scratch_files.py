"""What a program writes goes to its own memory: it is read back within the call, and nothing real is touched."""

import os
import tempfile
from pathlib import Path

import pytest

from grader.sandbox.policy import SCRATCH_BYTES

TOP = "import numpy as np, os, glob, io, pickle, json, csv, logging, gzip, shutil, zipfile, codecs\nfrom pathlib import Path"
SAVED = {
    "np.save": "np.save('w', X); return np.allclose(np.load('w.npy'), X)",
    "np.savez": "np.savez('best.npz', W=X, b=X[0]); return np.allclose(np.load('best.npz')['b'], X[0])",
    "np.savez in a folder": "os.makedirs('a/b', exist_ok=True); np.savez_compressed('a/b/c', W=X); return os.listdir('a/b') == ['c.npz']",
    "np.savetxt": "np.savetxt('h.csv', X, delimiter=','); return np.allclose(np.loadtxt('h.csv', delimiter=','), X)",
    "pickle": "pickle.dump({'W': X}, open('m.pkl', 'wb'))\nwith open('m.pkl', 'rb') as f: return np.allclose(pickle.load(f)['W'], X)",
    "json": "with open('h.json', 'w') as f: json.dump([1, 2], f)\nreturn json.load(open('h.json')) == [1, 2]",
    "csv": "with open('h.csv', 'a', newline='') as f: csv.writer(f).writerow([1, 2])\nreturn open('h.csv', newline='').read() == '1,2\\r\\n'",
    "appending": "for i in range(3):\n    with open('log.txt', 'a') as f: print(i, file=f)\nreturn open('log.txt').readlines() == ['0\\n', '1\\n', '2\\n']",
    "logging": "h = logging.FileHandler('logs/train.log'); h.emit(logging.makeLogRecord({'msg': 'loss'}))\nreturn Path('logs/train.log').read_text() == 'loss\\n'",
    "pathlib": "d = Path('runs') / '1'; d.mkdir(parents=True, exist_ok=True); d.mkdir(parents=True, exist_ok=True); (d / 'a.txt').write_text('é')\nreturn d.is_dir() and (d / 'a.txt').exists() and [*d.iterdir()] == [*d.glob('*.txt')] == [d / 'a.txt'] and (d / 'a.txt').read_text() == 'é'",
    "exclusive": "open('n', 'x').close()\ntry: open('n', 'x')\nexcept FileExistsError: return os.path.getsize('n') == 0",
    "both ways": "with open('b', 'w+b') as f:\n    f.write(b'abc'); f.seek(1); f.truncate(2); f.seek(0); return f.read() == b'ab'",
    "reading on": "open('b', 'wb').write(b'abc')\nwith open('b', 'r+') as f:\n    f.read(); f.write('d')\nreturn open('b', 'rb', buffering=0).read() == b'abcd'",
    "renaming": "np.save('new.npy', X); os.replace('new.npy', 'best.npy'); os.rename('best.npy', 'c.npy'); return glob.glob('*.npy') == ['c.npy']",
    "removing": "open('a', 'w').close(); os.remove('a'); return not os.path.exists('a') and not os.path.isfile('a')",
    "removing a folder": "os.mkdir('d'); open('d/a', 'w').close(); shutil.rmtree('d'); return os.listdir() == [] and not os.path.isdir('d')",
    "walking": "os.makedirs('d/e'); open('d/e/a', 'w').close(); return [f for _, _, f in os.walk('d')] == [[], ['a']]",
    "copying": "open('a', 'w').write('x'); shutil.copy('a', 'b'); return open('b').read() == 'x'",
    "packed": "with gzip.open('a.gz', 'wt') as f: f.write('x')\nreturn gzip.open('a.gz').read() == b'x' and codecs.open('b', 'w', 'utf-8').write('x') is None",
    "Colab": "os.makedirs('/content/drive/MyDrive/a', exist_ok=True); np.save('/content/drive/MyDrive/w.npy', X); return os.path.exists('/content/drive/MyDrive/w.npy')",
    "by the folder": "p = os.path.join(os.getcwd(), 'w.npy'); np.save(p, X); return os.path.abspath('w.npy') == p and os.path.isfile('w.npy')",
    "temporary": "np.save('/tmp/w_of_mine.npy', X); return np.load('/tmp/w_of_mine.npy').shape == X.shape",
    "a Windows path": "open('C:\\\\Users\\\\me\\\\w.txt', 'w').write('x'); return open(b'C:\\\\Users\\\\me\\\\w.txt').read() == 'x'",
    "no such file": "try: open('never.npz', 'rb')\nexcept FileNotFoundError: return not os.path.exists('never.npz')",
    "a folder": "os.mkdir('d')\ntry: open('d', 'w')\nexcept IsADirectoryError: return True",
    "touching": "Path('a').touch(); Path('a').touch(exist_ok=True); return Path('a').exists()",
    "a temporary file": "import tempfile\nwith tempfile.NamedTemporaryFile(suffix='.npy') as f:\n    np.save(f, X); f.flush(); f.seek(0); return f.name.endswith('.npy') and np.load(f).shape == X.shape",
    "two temporary files": "import tempfile\na, b = tempfile.TemporaryFile(), tempfile.NamedTemporaryFile('w'); a.write(b'x'); b.write('y'); b.flush(); return open(b.name).read() == 'y'",
    "a temporary folder": "import tempfile\nwith tempfile.TemporaryDirectory() as d:\n    np.save(os.path.join(d, 'w.npy'), X); read = np.load(os.path.join(d, 'w.npy')).shape == X.shape\nreturn read and not os.path.exists(d)",
    "spooled": "import tempfile\nwith tempfile.SpooledTemporaryFile(max_size=2) as f: f.write(b'abcd'); f.seek(0); return f.read() == b'abcd'",
    "torch.save": "import torch; torch.save({'W': X}, 'm.pt'); torch.save(1, open('n.pt', 'wb')); return np.allclose(torch.load('m.pt', map_location='cpu')['W'], X)",
    "joblib": "import joblib; joblib.dump(X, 'm.joblib'); return np.allclose(joblib.load('m.joblib'), X)",
}


@pytest.fixture
def lose(ask, question):
    """Give the replies of a network whose loss is `body`, asked twice."""

    def run(body):
        lines = "\n".join(f"        {line}" for line in body.splitlines())
        head = f"{TOP}\nclass TwoLayerNet:\n    def __init__(self, *sizes): self.params = {{}}\n"
        asked = ask(f"{head}    def loss(self, X, y=None, reg=0.0):\n{lines}", question("a"), question("b"))
        return list(asked.replies.values())

    return run


@pytest.mark.parametrize("way", SAVED)
def test_what_is_written_is_read_back_within_the_call(lose, way):
    """Whatever way a program saves, it goes on; the second call finds nothing of the first."""
    for reply in lose(SAVED[way]):
        assert reply.results == (True,), reply.error
    assert not os.path.exists("/tmp/w_of_mine.npy")  # noqa: PTH110, S108 -- it must not be there


def test_files_end_with_the_call(lose):
    """A program that goes on from its checkpoint starts afresh in each question."""
    replies = lose("found = os.path.exists('best.npz')\nnp.savez('best.npz', W=X)\nreturn found")
    assert [reply.results for reply in replies] == [(False,), (False,)]


@pytest.mark.parametrize(
    "write", ["open({0!r}, 'w')", "open({0!r} + '/new', 'xb')", "np.save({0!r} + '/w', X)", "open({0!r}, 'r+')"]
)
def test_a_real_path_is_refused_in_plain_words(lose, write):
    """What is there in reality is the lock-down's: the message says who forbids it."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)
        reply = lose(write.format(folder))[0]
        assert os.listdir(folder) == []  # noqa: PTH208 -- as short
    assert reply.error.type in {"PermissionError", "IsADirectoryError"}
    assert "the grader forbids writing files" in reply.error.message or reply.error.type == "IsADirectoryError"


def test_memory_files_have_a_limit(lose):
    """All together; the message says so."""
    reply = lose(f"for i in range(9): open(str(i), 'wb').write(bytes({SCRATCH_BYTES // 8}))")[0]
    assert reply.error.type == "OSError"
    assert "the grader forbids writing files: 3 MiB in all is the most: '8'" in reply.error.message


def test_what_needs_a_real_file_says_so(lose):
    """A memory map of a file cannot be had."""
    reply = lose("np.memmap('m', mode='w+', shape=3)")[0]
    assert "the grader forbids writing files: 'm' is in memory only" in reply.error.message


def test_a_temporary_descriptor_is_refused_in_plain_words(lose):
    """It would be a real one."""
    reply = lose("import tempfile; tempfile.mkstemp()")[0]
    assert "the grader forbids writing files, with tempfile.mkstemp too" in reply.error.message
