"""How much of one submission is read at most; counted while reading, never by what a header claims."""

from __future__ import annotations

from dataclasses import dataclass

from grader.submission.fault import failed

MEMBERS = 2000
MEMBER_BYTES = 24 * 2**20
TOTAL_BYTES = 64 * 2**20


@dataclass
class Quota:
    """What has been read so far of one submission."""

    files: int = 0
    size: int = 0

    def take(self, shown: str, size: int) -> None:
        """Count one file of `size` bytes, and refuse the submission when it is too much."""
        self.files += 1
        self.size += size
        mend = "Hand in the notebook and your .py files only, without data and without outputs of that size."
        if size > MEMBER_BYTES:
            raise failed(f"{shown} is larger than {MEMBER_BYTES >> 20} MiB. {mend}")
        if self.size > TOTAL_BYTES:
            raise failed(f"The submission holds more than {TOTAL_BYTES >> 20} MiB of notebooks and Python. {mend}")
        if self.files > MEMBERS:
            raise failed(f"The submission holds more than {MEMBERS:,} files. {mend}")
