"""Debian's chromium for the tests of pages: started once a module, and every page opened from a file in peace.

The fixtures are made known by tests/conftest.py.
"""

import shutil

import pytest

CHROMIUM = shutil.which("chromium")
ARGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


def each_in_one_scheme(*widths):
    """Return (width, scheme): the widest in light and the narrowest in dark; the others are opened with the slow tests."""
    found = [(widths[0], "light"), (widths[-1], "dark")]
    others = [(width, scheme) for width in widths for scheme in ("light", "dark") if (width, scheme) not in found]
    return [*found, *(pytest.param(*one, marks=pytest.mark.slow) for one in others)]


@pytest.fixture(scope="module")
def browser():
    """Start chromium once a module: a session's would keep its event loop for tests that start their own."""
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        yield chromium
        chromium.close()


@pytest.fixture
def visited(browser, tmp_path):
    """Return a function that writes a page to a file and opens it there.

    Afterwards see that nothing but files was asked for, and that neither page nor browser complained.
    """
    contexts, asked, said = [], [], []

    def visit(html, name="page.html", *, width=1200, scheme="light", fragment="", script=True):
        file = tmp_path / name
        file.write_text(html, encoding="utf-8")
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, java_script_enabled=script
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        before = len(asked)
        page.goto(file.as_uri() + fragment)
        assert [url.partition("#")[0] for url in asked[before:]] == [file.as_uri()], "the page loads something"
        return page

    yield visit
    for context in contexts:
        context.close()
    assert said == []
    assert all(url.startswith("file://") for url in asked)
