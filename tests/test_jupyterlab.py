"""`%check` as a student sees it: in JupyterLab with the wheel, in its light and dark theme, and where it trusts no output."""

import json
import os
import re
import secrets
import socket
import subprocess
import time
import urllib.request

import nbformat
import pytest

from play_student import build_wheel, install
from test_notebook import REGIONS, as_notebook, lesson

pytestmark = [pytest.mark.slow, pytest.mark.browser]
HALF = ("X.T.dot(dhidden) + 2 * reg * W1", "X.T.dot(dhidden) + reg * W1")
NOTEBOOKS = {"empty": ((),), "wrong": (REGIONS, HALF), "right": (REGIONS,)}
# What %check says of each: at the top, and below.
SAID = {
    "empty": ("0 of 18 pass", "Next steps, in the order of the notebook"),
    "wrong": ("16 of 18 pass", "The regulariser's part of the gradient of W1 is half of what the loss asks for."),
    "right": ("18 of 18 pass", "18 passed."),
}
# Every visible text whose contrast with what lies behind it is below 4.5, as WCAG computes it; of pictures there is another test.
FAINT = """(node) => {
  const light = (rgb) => rgb.map((c) => c / 255).map((c) => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, at) => sum + c * [0.2126, 0.7152, 0.0722][at], 0);
  const colour = (text) => text.match(/[\\d.]+/g).map(Number);
  const behind = (one) => { const found = colour(getComputedStyle(one).backgroundColor);
    return found.length == 3 ? found : one.parentElement ? behind(one.parentElement) : [255, 255, 255]; };
  const walker = document.createTreeWalker(node, NodeFilter.SHOW_TEXT), faint = [];
  for (let one; one = walker.nextNode();) {
    const parent = one.parentElement;
    if (!one.textContent.trim() || !parent.checkVisibility() || parent.closest("svg, style")) continue;
    const both = [colour(getComputedStyle(parent).color), behind(parent)].map((rgb) => light(rgb.slice(0, 3)) + 0.05);
    if (Math.max(...both) / Math.min(...both) < 4.5) faint.push(one.textContent.trim());
  }
  return faint;
}"""


def notebook(name):
    """Return the lesson's cells that define the class, with `%check loss` and `%check` between and after them."""
    kept = [
        cell for cell in lesson(*NOTEBOOKS[name]) if re.fullmatch(r"setup|tools|class|write-\d|best|check-2", cell[0])
    ]
    made = as_notebook([*kept, ("all", "code", "%check")])
    # Without it JupyterLab asks for a kernel.
    made.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return made


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """Start JupyterLab where the wheel is installed, beside the notebooks; yield its address, its folder and its Python."""
    folder = tmp_path_factory.mktemp("lab")
    python = install(build_wheel(folder), folder / "venv")
    subprocess.run([python, "-m", "pip", "install", "-q", "jupyterlab"], check=True, timeout=600)
    (folder / "notebooks").mkdir()
    for name in NOTEBOOKS:
        nbformat.write(notebook(name), folder / "notebooks" / f"{name}.ipynb")
    set_in(folder, "notebook-extension/tracker", windowingMode="none")  # every cell is in the page
    set_in(folder, "apputils-extension/notification", fetchNews="false", checkForUpdates=False)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token, address = secrets.token_hex(), f"http://127.0.0.1:{port}"
    words = [f"--ServerApp.{one}" for one in ("ip=127.0.0.1", f"port={port}", "port_retries=0", "allow_root=True")]
    server = subprocess.Popen(
        [python.parent / "jupyter-lab", "--no-browser", *words],
        cwd=folder / "notebooks",
        env=environment(folder) | {"JUPYTER_TOKEN": token},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(600):
            time.sleep(0.1)
            try:
                urllib.request.urlopen(f"{address}/api?token={token}").close()  # noqa: S310 -- our own server
                break
            except OSError:
                assert server.poll() is None
        yield f"{address}/lab/tree/NAME.ipynb?reset&token={token}", folder, python
    finally:
        server.terminate()
        server.wait()


def environment(folder):
    """Return an environment in which Jupyter keeps all that it writes in a folder."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "JUPYTER"))}
    names = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR", "XDG_CACHE_HOME")
    names += ("JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR")
    return kept | {name: str(folder / name) for name in names}


def set_in(folder, plugin, **values):
    """Set what a user of JupyterLab chose."""
    file = folder / "JUPYTERLAB_SETTINGS_DIR" / "@jupyterlab" / f"{plugin}.jupyterlab-settings"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(values), encoding="utf-8")


@pytest.fixture
def opened(browser, lab):
    """Return a function that opens a notebook in a theme; afterwards see that the server refused nothing."""
    address, folder, _ = lab
    context = browser.new_context(viewport={"width": 1300, "height": 1000})
    context.set_default_timeout(120_000)
    refused = []

    def show(name, theme):
        set_in(folder, "apputils-extension/themes", theme=f"JupyterLab {theme}")
        page = context.new_page()
        page.on("response", lambda one: refused.append(one.url) if one.status >= 500 else None)
        page.goto(address.replace("NAME", name), wait_until="domcontentloaded")
        page.wait_for_selector(f'body[data-jp-theme-light="{str(theme == "Light").lower()}"] .jp-Notebook .jp-CodeCell')
        return page

    yield show
    context.close()
    assert refused == []


@pytest.mark.parametrize("theme", ["Light", "Dark"])
@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_check_can_be_read_in_the_theme_of_the_notebook(opened, name, theme):
    """The verdict on everything and on one part is seen, on light or dark ground, and no text of it is faint."""
    page = opened(name, theme)
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()  # before that, running a cell asks for a kernel
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_text("Run All Cells", exact=True).click()
    outputs = page.locator(".jp-OutputArea-output .grader-check")
    outputs.nth(1).wait_for(timeout=300_000)
    assert outputs.count() == 2
    for output, said in zip(outputs.all(), (("of 4 pass",), SAID[name]), strict=True):
        assert all(output.get_by_text(words).first.is_visible() for words in said)
        assert output.evaluate(FAINT) == []
        ground = output.evaluate("(node) => getComputedStyle(node).backgroundColor.match(/\\d+/g).map(Number)")
        assert min(ground) > 200 if theme == "Light" else max(ground) < 60


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_a_check_can_be_read_where_the_notebook_is_not_trusted(opened, lab, theme):
    """JupyterLab leaves out styles and pictures of a notebook that was run elsewhere; the words are all there."""
    _, folder, python = lab
    path = folder / "notebooks" / "elsewhere.ipynb"
    nbformat.write(notebook("wrong"), path)
    words = [python, "-m", "nbconvert", "--to", "notebook", "--execute", "--inplace", str(path)]
    subprocess.run(words, env=environment(folder), check=True, capture_output=True, timeout=300)
    page = opened("elsewhere", theme)
    output = page.locator(".jp-OutputArea-output .grader-check").last
    output.wait_for()
    assert page.locator(".grader-check style, .grader-check svg").count() == 0
    assert all(output.get_by_text(words).first.is_visible() for words in SAID["wrong"])
    assert output.evaluate(FAINT) == []
    assert " 0 1 2 3 " in output.inner_text()  # a picture's words, apart
