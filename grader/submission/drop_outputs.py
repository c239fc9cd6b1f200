"""Drop a notebook's stored outputs and attached pictures while it is read, so that they count towards no limit."""

import re
from collections.abc import Callable
from functools import partial
from typing import IO, NoReturn

from grader.submission.errors import failed

# What is smaller is read as it is.
SMALL = 512 * 1024
_CHUNK = 2**20
MOST_READ = 2**28  # of all notebooks of one submission: some seconds from a slow disk
# Of one file. A text costs a third of a microsecond, a bracket five; real notebooks have some 10,000 of them.
_MOST_TEXTS = 1_000_000
_MOST_STEPS = 300_000
_TEXT = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?P<end>"|\\?\Z)'
_TEXT_ENDS = re.compile(_TEXT.removeprefix(b'"'), re.DOTALL)
_TEXTS = re.compile(_TEXT, re.DOTALL)
_KEPT = re.compile(
    rb'(?P<key>"(?:outputs|attachments)"\s{0,20}:\s{0,20}[\[{])|"[^"\\]*+(?:\\.[^"\\]*+)*+(?P<end>"?)', re.DOTALL
)
_LONGEST_KEY = 80
_DROPPED = re.compile(_TEXT + rb"|[\[\]{}]", re.DOTALL)
_CLOSES = {b"[": b"]", b"{": b"}"}
_NO_BRACKET = bytes(set(range(256)) - set(b"[]{}"))


def read_without_outputs(opened: IO[bytes], limit: int, shown: str, most: int = MOST_READ) -> tuple[bytes, int]:
    """Return a notebook's bytes without stored outputs, a little more than `limit` at most, and how many were read.

    most : bytes that may be read. Raises SubmissionError for more outputs than anybody's work has.
    """
    data = opened.read(SMALL)
    if len(data) < SMALL:
        return data, len(data)
    dropper = _Dropper(shown)
    read = len(data)
    for chunk in iter(partial(opened.read, _CHUNK), b""):
        read += len(chunk)
        dropper.feed(data)
        data = chunk
        if read > most:
            dropper.refuse(f"{most >> 20} MiB of outputs")
        if len(dropper.kept) > limit:
            break
    dropper.feed(data, is_last=True)
    return bytes(dropper.kept), read


class _Dropper:
    """Takes a file in chunks and keeps what is no output."""

    def __init__(self, shown: str) -> None:
        self.kept = bytearray()
        self._shown = shown
        self._rest = b""  # of the last chunk: a text or a key that may go on
        self._depth = 0  # of brackets in what is dropped; 0 where nothing is
        self._in_text = False  # of what is dropped
        self._opened = b""
        self._steps = self._texts = 0

    def feed(self, chunk: bytes, *, is_last: bool = False) -> None:
        """Take the next chunk."""
        data, self._rest = self._rest + chunk, b""
        at = 0
        while at < len(data):
            step: Callable[[bytes, int, bool], int] = self._drop if self._depth else self._keep
            after = step(data, at, is_last)
            if after < 0:
                return
            at = after

    def refuse(self, most: str) -> NoReturn:
        """Raise the error for what no notebook holds."""
        raise failed(f"{self._shown} holds more than {most}. Clear the outputs, save it, and hand in that file.")

    def _count(self) -> None:
        self._steps += 1
        if self._steps > _MOST_STEPS:
            self.refuse(f"{_MOST_STEPS:,} values, while a notebook has a few thousand")

    def _keep(self, data: bytes, at: int, is_last: bool) -> int:  # noqa: FBT001
        """Keep up to the next outputs; return where they begin, or -1 at the end of the chunk."""
        begun = at
        while found := _KEPT.search(data, at):
            self._count()
            is_open = not found["key"] and (not found["end"] or found.end() > len(data) - _LONGEST_KEY)
            if is_open and not is_last:
                self.kept += data[begun : found.start()]
                self._rest = data[found.start() :]
                return -1
            at = found.end()
            if found["key"]:
                self.kept += data[begun:at]
                self._depth, self._opened = 1, data[at - 1 : at]
                return at
        self.kept += data[begun:]
        return -1

    def _drop(self, data: bytes, at: int, _is_last: bool) -> int:  # noqa: FBT001
        """Drop up to the bracket that closes the outputs; return where it ends, or -1 at the end of the chunk."""
        if self._in_text:
            if b"\\" in data:
                found = _TEXT_ENDS.match(data, at)
                ends, rest = (found.end(), found["end"]) if found else (len(data), b"")
            else:  # a picture: this is ten times as fast
                ends = data.find(b'"', at) + 1
                rest = b'"' if ends else b""
            if rest != b'"':
                self._rest = rest  # a backslash, whose character is in the next chunk
                return -1
            at, self._in_text = ends, False
        # Without its texts, most often all of a chunk is inside.
        bare, texts = _TEXTS.subn(rb"\g<end>", data[at:])
        brackets = bare.translate(None, _NO_BRACKET)
        self._texts += texts
        closed = brackets.count(b"]") + brackets.count(b"}")
        if self._texts > _MOST_TEXTS:
            self.refuse(f"{_MOST_TEXTS:,} values in its outputs")
        if closed >= self._depth:
            return self._drop_step_by_step(data, at)
        self._depth += len(brackets) - 2 * closed
        self._in_text = bare.count(b'"') < texts
        self._rest = b"\\" if self._in_text and bare.endswith(b"\\") else b""
        return -1

    def _drop_step_by_step(self, data: bytes, at: int) -> int:
        while token := _DROPPED.search(data, at):
            self._count()
            at = token.end()
            if token["end"] is not None:
                self._in_text = token["end"] != b'"'
                self._rest = b"\\" if token["end"] == b"\\" else b""
                continue
            self._depth += 1 if token[0] in _CLOSES else -1
            if not self._depth:
                self.kept += _CLOSES[self._opened]
                return at
        return -1
