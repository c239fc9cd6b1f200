"""What is read of one submission, and how much at most; counted while reading, never by what a header claims."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import PurePosixPath

from grader.submission.errors import failed

MEMBERS = 2000
MEMBER_BYTES = 24 * 2**20
TOTAL_BYTES = 64 * 2**20


@dataclass
class Taken:
    """What has been read so far of one submission."""

    files: dict[PurePosixPath, bytes] = field(default_factory=dict)  # of two with one name the last, as on extraction
    notes: list[str] = field(default_factory=list)
    other: list[str] = field(default_factory=list)  # names of what is neither notebook nor Python
    count: int = 0
    size: int = 0

    def take(self, path: PurePosixPath, data: bytes, shown: str) -> None:
        """Keep one file, of which at most a byte too many was read, and refuse the submission when it is too much."""
        self.files[path] = data
        self.count += 1
        self.size += len(data)
        mend = "Hand in the notebook and your .py files only, without data and without outputs of that size."
        if len(data) > MEMBER_BYTES:
            raise failed(f"{shown} is larger than {MEMBER_BYTES >> 20} MiB. {mend}")
        if self.size > TOTAL_BYTES:
            raise failed(f"The submission holds more than {TOTAL_BYTES >> 20} MiB of notebooks and Python. {mend}")
        if self.count > MEMBERS:
            raise failed(f"The submission holds more than {MEMBERS:,} files. {mend}")
