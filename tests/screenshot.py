"""Make the picture in README.md: `python tests/screenshot.py` grades one wrong program and photographs its report."""

import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from chromium import ARGS, CHROMIUM

HERE = Path(__file__).resolve().parent
PROGRAM = Path("submissions", "wrong_relu_mask.py")  # from here: the report shows the path as it is given
PICTURE = HERE.parent / ".github" / "report.png"
SIZE = {"width": 960, "height": 1040}


def main():
    """Write the picture."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "grader", "grade", "--seed", "231", str(PROGRAM), "--out", folder]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=HERE)
        page = Path(folder, "submissions", PROGRAM.stem, "report.html")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
            view = browser.new_page(viewport=SIZE, color_scheme="light")
            view.goto(page.as_uri())
            view.screenshot(path=PICTURE)
            browser.close()


if __name__ == "__main__":
    main()
