"""A student's request to look at the grade again: a small text file in the hand-in, `regrade_request.txt`."""

from __future__ import annotations

import codecs
import re

from grader.submission.name_submissions import plain_stem
from grader.text.sanitise import MESSAGE, plain_text

_NAMED = re.compile(r"regrade[-_ ]?request(\.txt)?", re.IGNORECASE)
_BYTES = 4 * MESSAGE  # no character takes more in UTF-8


def is_request(name: str) -> bool:
    """Return whether a file's name is a request's, with whatever Canvas and browsers add."""
    return name.lower().endswith(".txt") and _NAMED.fullmatch(plain_stem(name)) is not None


def decode_request(data: bytes) -> str:
    """Return what is asked, plain and at most `MESSAGE` characters; "" of an empty file, as a course may hand out."""
    is_wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))  # as Windows's editor saves what it calls Unicode
    try:
        # What the limit cuts off within a character is no fault.
        text = codecs.getincrementaldecoder("utf-16" if is_wide else "utf-8-sig")().decode(data[:_BYTES])
    except UnicodeDecodeError:
        text = data[:_BYTES].decode("cp1252", "replace")
    if "\0" in text:
        text = "(What the file holds is no text.)"
    more = "\n(The file goes on; no more of it was read.)" if len(data) > _BYTES else ""
    return plain_text(text.strip() + more) if text.strip() else ""
