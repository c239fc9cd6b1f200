"""Open a page where there is a screen to show it on."""

import os
import sys
import webbrowser
from pathlib import Path


def open_page(page: Path, *, wanted: bool | None = None) -> None:
    """Open a page in the browser. wanted : None for only where there is a screen."""
    has_screen = sys.platform in {"darwin", "win32"} or any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY")))
    if has_screen if wanted is None else wanted:
        webbrowser.open(page.resolve().as_uri())
