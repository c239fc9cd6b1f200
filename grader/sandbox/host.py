"""Run a submission: ask its process every question, and return replies whatever the process does.

A process is told once which questions of the class's file it answers, and the replies stream back. One misdeed costs its
own call: the process is ended, and the calls from the next on are asked of a fresh one. Time is measured
from outside (see `deadline`): an alarm inside the process is swallowed by `except Exception` and delayed by a long call
into LAPACK.
"""

from __future__ import annotations

import collections
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from grader.model import CLASSIC, Call, Limits, Methods, Outcome, QuestionId, Reply, Run, StudentError, Submission

from . import protocol
from .child import EXIT_TIMEOUT, Child, DuplicateReplyError, ProcessEndedError, describe_ending
from .deadline import Deadline
from .forkserver import ForkServer
from .messages import MAX_KEPT, Awaited, clean, first_method, not_asked, pack_submission, reply_of, way_of, weight
from .policy import NONE_DISABLED, WALL_FACTOR, DisabledLayers, ResourceLimits
from .question_file import QuestionFile
from .source_map import SourceMap, before_trace
from .spawn import SpawnServer, open_server

# After this many timeouts of one method, its other questions of the kind are not asked: an endless loop must not hold up a class.
MOST_TIMEOUTS = 2
# After as many timeouts in all, each question gets this much: what loops in loss() mostly loops in train() as well, and
# what does not loop answers in milliseconds.
SHORT_TIMEOUT = 1.0
# A process that ends itself after this share of its time is no better than one that had to be ended.
LATE_SHARE = 0.5
# What a process may take to say nothing more, once it has been told that there are no more questions.
SHUTDOWN_TIMEOUT = 0.5


class StudentHost:
    """Runs submissions, one at a time, each in a process of its own.

    limits : seconds of a process's own time, memory in mebibytes on top of what a process with numpy loaded has.
    disabled : layers of the lock-down to leave out, for tests of what each of them stops.
    server : where students' processes come from; None for the best that this system has.
    Raises UnsupportedPlatformError where there are no processes at all.
    """

    def __init__(
        self,
        limits: Limits,
        disabled: DisabledLayers = NONE_DISABLED,
        *,
        server: ForkServer | SpawnServer | None = None,
    ) -> None:
        self._limits = limits
        self.server = server or open_server(disabled)
        self._calls: Sequence[Call] = ()
        self._questions = QuestionFile(())

    def __enter__(self) -> StudentHost:  # noqa: PYI034 -- one class, never subclassed
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """End the zygote and all that is left of the students' processes."""
        self.server.close()
        self._questions.close()
        self._calls = ()

    def run(
        self,
        submission: Submission,
        class_name: str,
        calls: Sequence[Call],
        methods: Methods = CLASSIC,
        needless: Mapping[QuestionId, Callable[[Run], bool]] | None = None,
    ) -> Run:
        """Load a submission and ask it every call, in order.

        needless : for some calls, whether the replies so far make them so: then they are not asked, which is no error.
        Returns a Run with one reply for each call, by its id. Nothing that the submission does raises;
        IsolationError and ServerLostError are faults of the grader's side, and TypeError is a call that cannot travel.
        """
        if not self.server.alive:
            self.server.replace()
        # A class is asked the same calls again and again; laying them out takes a tenth of a submission's time.
        if calls is not self._calls:
            laid_out = QuestionFile(calls)
            self._questions.close()
            self._questions, self._calls = laid_out, calls
        asked = submission, class_name, methods, self._questions, needless or {}
        return _Session(self.server, self._limits, *asked).run(calls)


class _Session:
    """One submission's run: its processes, one after another, and what they replied."""

    def __init__(
        self,
        server: ForkServer | SpawnServer,
        limits: Limits,
        submission: Submission,
        class_name: str,
        methods: Methods,
        questions: QuestionFile,
        needless: Mapping[QuestionId, Callable[[Run], bool]],
    ) -> None:
        self._server = server
        self._needless, self._told = needless, 0  # the number of the last call that the process knows of
        self._questions = questions
        self._limits = limits
        self._submission = submission
        self._text = SourceMap(submission)
        self._class_name = class_name
        self._methods = methods
        self._process_limits = ResourceLimits(limits.memory_mb, math.ceil(limits.total_seconds))
        self._started = time.monotonic()
        self._wall_end = self._started + WALL_FACTOR * limits.total_seconds
        self._whole = f"the {limits.total_seconds:g} processor seconds for the whole submission"
        self._spent = 0.0
        self._child: Child | None = None
        self._kept_deadline: Deadline | None = None  # the last of this process that was kept
        self._layers: tuple[str, ...] = ()
        self._cpu_seconds = 0.0
        self._timeouts: collections.Counter[tuple[str, bool]] = collections.Counter()
        self._replies: dict[QuestionId, Reply] = {}
        self._kept = 0
        self._load = Reply(QuestionId("load"), "not_asked")

    def run(self, calls: Sequence[Call]) -> Run:
        """Return the replies of the whole run."""
        try:
            self._load = self._open(calls, 1)
            for number, call in enumerate(calls, start=1):
                self._replies[call.id] = self._reply(number, calls)
            self._shut_down(calls)
        finally:
            self._retire()
        return self._so_far()

    def _so_far(self) -> Run:
        return Run(
            load=self._load,
            replies=dict(self._replies),
            isolation=self._layers,
            versions=dict(self._server.versions),
            seconds=time.monotonic() - self._started,
            cpu_seconds=self._cpu_seconds,
        )

    def _reply(self, number: int, calls: Sequence[Call]) -> Reply:
        call = calls[number - 1]
        if reason := self._reason_not_to_ask(call):
            return not_asked(call, reason)
        if call.id in self._needless and self._needless[call.id](self._so_far()):
            return Reply(call.id, "not_asked")
        if self._child is None:
            again = self._open(calls, number)
            if again.outcome != "returned":
                why = again.error.message if again.error else again.outcome
                return not_asked(call, f"the submission loaded at first, but not again in a fresh process: {why}")
        try:
            return self._ask(number, calls)
        except DuplicateReplyError as stale:
            # The process spoke twice for an earlier call; this one has not been answered by anybody yet.
            self._retire()
            self._blame_for_two_replies(stale.number, calls)
            return self._reply(number, calls)

    def _reason_not_to_ask(self, call: Call) -> str:
        if self._load.outcome != "returned":
            why = self._load.error.message if self._load.error else self._load.outcome
            return f"the submission could not be loaded: {why}"
        if self._timeouts[way_of(call)] >= MOST_TIMEOUTS:
            own = vars(self._methods).get(first_method(call), "network")
            return f"{own} used up its time limit, or most of it, in {MOST_TIMEOUTS} questions before"
        if self._spent >= self._limits.total_seconds or time.monotonic() >= self._wall_end:
            self._retire()  # it would go on answering
            return f"{self._whole} were used up"
        return ""

    def _ask(self, number: int, calls: Sequence[Call]) -> Reply:
        call = calls[number - 1]
        late = self._timeouts.total() >= MOST_TIMEOUTS
        seconds = min(call.seconds, SHORT_TIMEOUT) if late else call.seconds
        before = self._spent
        source = [] if number <= self._told else protocol.pack({"asked": self._tell(calls, number)})
        reply = self._await(Awaited(call.id, number, seconds, first_method(call), len(call.steps), source))
        late_end = reply.outcome in {"crashed", "broke_protocol"} and self._spent - before > LATE_SHARE * seconds
        if reply.outcome == "timed_out" or late_end:
            self._timeouts[way_of(call)] += 1
        return reply

    def _open(self, calls: Sequence[Call], first: int) -> Reply:
        """Start a process, load the submission in it, and have it answer the calls from number `first` on."""
        self._child = Child(self._server, self._questions.descriptor, self._process_limits)
        self._kept_deadline = None
        self._layers = self._child.layers
        self._told = first - 1
        asked = self._tell(calls, first) if self._server.streams else []
        names = self._class_name, self._methods
        source = pack_submission(self._submission, *names, self._limits.printed_characters, asked)
        return self._await(Awaited(QuestionId("load"), 0, self._limits.load_seconds, "import", source=source))

    def _tell(self, calls: Sequence[Call], first: int) -> list[tuple[int, int]]:
        """Return the places of the questions that the process answers next, from number `first` to one that may be needless."""
        self._told = first
        while self._server.streams and self._told < len(calls) and calls[self._told].id not in self._needless:
            self._told += 1
        # As it is now: a timeout ends the process, and the next one is told anew.
        told = [*zip(calls, self._questions.places, strict=True)][first - 1 : self._told]
        return [place for call, place in told if self._timeouts[way_of(call)] < MOST_TIMEOUTS]

    def _await(self, message: Awaited) -> Reply:
        """Return the next reply of the process; whatever goes wrong ends the process and becomes the reply."""
        child = self._child
        if child is None:
            raise RuntimeError("there is no process to ask")
        left = self._limits.total_seconds - self._spent
        deadline = Deadline(child.pid, min(message.seconds, left), self._wall_end, after=self._kept_deadline)
        try:
            frame = self._wait_for(child, message, deadline)
            self._kept_deadline = deadline
            reply = reply_of(frame, message.id, message.steps, self._text, self._limits.printed_characters)
            self._keep(reply)
        except TimeoutError:
            said = f"after {deadline.describe()}" if message.seconds <= left else f"when {self._whole} were used up"
            child.dump_traceback()
            return self._fail(child, message, "timed_out", f"still running {said}")
        except protocol.ProtocolError as error:
            return self._fail(child, message, "broke_protocol", f"its process sent {error}")
        except ProcessEndedError:
            return self._fail(child, message, *describe_ending(child.end(EXIT_TIMEOUT)))
        if reply.error is not None and (reply.error.type == "MemoryError" or message.number == 0):
            # What filled the memory may be kept in a variable; and what did not load has nothing more to say.
            self._retire()
            return reply
        # What was written past Python's own standard output, such as with os.write; later calls may be writing by now.
        raw = child.output(frame.message.get("written"))
        printed = clean(reply.printed + raw, self._limits.printed_characters + 100)
        return replace(reply, printed=printed) if raw else reply

    def _wait_for(self, child: Child, message: Awaited, deadline: Deadline) -> protocol.Frame:
        try:
            child.send(message.source, deadline)
            return child.hear(message.number, deadline)
        finally:
            self._spent += deadline.spent

    def _keep(self, reply: Reply) -> None:
        """Make room for a reply; raise protocol.ProtocolError where the submission's replies take too much together."""
        kept = self._kept + weight([reply.results, dict(reply.own_shapes)])
        if kept > MAX_KEPT:
            raise protocol.ProtocolError(f"over {MAX_KEPT >> 20} MiB in all its replies together")
        self._kept = kept

    def _fail(self, child: Child, message: Awaited, outcome: Outcome, said: str) -> Reply:
        """Return the reply for a process that failed, with the output that it wrote, and end it."""
        output = child.output()
        self._retire()
        places, function = self._text.last_trace(output)
        during = f"{self._class_name}(...)" if function == "__init__" else message.during
        printed = clean(before_trace(output), self._limits.printed_characters)
        return Reply(message.id, outcome, error=StudentError(during, "", said, places), printed=printed)

    def _shut_down(self, calls: Sequence[Call]) -> None:
        """End the last process in order; a second reply that comes now still counts against the last call."""
        if self._child is None:
            return
        try:
            self._child.shutdown(Deadline(self._child.pid, SHUTDOWN_TIMEOUT))
        except DuplicateReplyError as stale:
            self._blame_for_two_replies(stale.number, calls)

    def _blame_for_two_replies(self, number: int, calls: Sequence[Call]) -> None:
        message = "its process sent two replies to one call"
        if number == 0:
            self._load = Reply(QuestionId("load"), "broke_protocol", error=StudentError("import", "", message))
            return
        call = calls[number - 1]
        self._replies[call.id] = Reply(call.id, "broke_protocol", error=StudentError(first_method(call), "", message))

    def _retire(self) -> None:
        """End the present process, if there is one."""
        child, self._child = self._child, None
        if child is not None:
            self._cpu_seconds += child.end(0).cpu_seconds
            child.release()
