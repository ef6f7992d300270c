"""A standard queue: who may have which message when. Knows nothing of the protocol."""

import asyncio
import heapq
import itertools
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass

from .sqs_message import Message, read_receipt
from .wire import Refusal

MAX_VISIBILITY = 43_200  # seconds from the receive, extensions included

type Bury = Callable[[Message], None]
"""Takes a message that was received too often."""


@dataclass(frozen=True, slots=True)
class Take:
    """What a receive asks for: at most `limit` messages, each hidden for `visibility` seconds.

    A message that was received `most` times here goes to `bury` instead. `twice` leaves a copy of each to be taken
    again, as a server that missed the receive would.
    """

    limit: int
    visibility: float
    most: int | None = None
    bury: Bury | None = None
    twice: bool = False


class Queue:
    """Messages by id, those that can be had by group, the hidden ones by the time they come back.

    Groups take turns, so that a tenant with many messages does not keep the others waiting ("Amazon SQS fair
    queues"). Messages that come back go before those of their group that were never received.
    """

    def __init__(self, name: str, retention: float) -> None:
        """`retention` in seconds from the first send."""
        self.name = name
        self.retention = retention
        self.messages: dict[str, Message] = {}
        self.counts: Counter[str] = Counter()
        """Of sent, received, deleted, buried and expired messages."""
        self._ready: OrderedDict[str | None, deque[Message]] = OrderedDict()
        self._hidden: list[tuple[float, int, Message]] = []
        self._order = itertools.count()
        self._waiters: deque[asyncio.Future[None]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def send(self, message: Message, delay: float = 0.0) -> None:
        """Put a message in; it can be had after `delay` seconds."""
        self.messages[message.id] = message
        self.counts["sent"] += 1
        if delay:
            self._hide(message, _now() + delay)
        else:
            message.visible_at = _now()
            self._offer(message)

    async def receive(self, take: Take, wait: float) -> list[Message]:
        """Take messages, waiting up to `wait` seconds for the first."""
        until = _now() + wait
        while not (taken := self._take(take)) and _now() < until:
            waiter = asyncio.get_running_loop().create_future()
            self._waiters.append(waiter)
            try:
                async with asyncio.timeout_at(until):
                    await waiter
            except TimeoutError:
                continue
            except asyncio.CancelledError:
                if waiter.done() and not waiter.cancelled():
                    self._wake()  # what woke this caller, who has gone, is for another
                raise
        return taken

    def change_visibility(self, handle: str, seconds: float) -> None:
        """Hide a message for `seconds` from now; 0 hands it out at once.

        Raises:
            Refusal: the handle is none, is not the latest one, or holds the message no longer.
        """
        message_id, receive = read_receipt(self.name, handle)
        message = self.messages.get(message_id)
        if message is None or message.receives != receive:
            # SQS developer guide, "Queue and message identifiers": each receive has a handle of its own.
            reason = "Message does not exist or is not available for visibility timeout change."
            text = f"Value {handle} for parameter ReceiptHandle is invalid. Reason: {reason}"
            raise Refusal("InvalidParameterValue", text)
        now = _now()
        if message.visible_at <= now:
            raise Refusal("MessageNotInflight", "The specified message isn't in flight.")
        if now + seconds > message.received_at + MAX_VISIBILITY:
            limit = f"Total VisibilityTimeout for the message is beyond the limit [{MAX_VISIBILITY} seconds]"
            raise Refusal(
                "InvalidParameterValue", f"Value {seconds} for parameter VisibilityTimeout is invalid. {limit}"
            )
        if seconds:
            self._hide(message, now + seconds)
        else:
            self._return(message)

    def delete(self, handle: str, *, twice: bool = False) -> None:
        """Remove a message, if the handle is the latest one; another succeeds too, without effect.

        (SQS API reference, DeleteMessage: "you must provide the most recently received ReceiptHandle".) Also a visible
        message is removed. `twice` forgets to: "on rare occasions … you might get that copy of the message again".

        Raises:
            Refusal: it is no handle of this queue.
        """
        message_id, receive = read_receipt(self.name, handle)
        message = self.messages.get(message_id)
        if message is None or message.receives != receive:
            return
        if twice:
            self._return(message)
            return
        del self.messages[message_id]
        self.counts["deleted"] += 1

    def purge(self) -> None:
        """Remove every message."""
        self.messages.clear()
        self._ready.clear()
        self._hidden.clear()

    def state_of(self, message: Message) -> str:
        """`visible`, `in_flight` or `delayed`."""
        if message.visible_at <= _now():
            return "visible"
        return "in_flight" if message.receives_here else "delayed"

    def states(self) -> Counter[str]:
        """How many messages are visible, in flight and delayed."""
        self._expire()
        return Counter(self.state_of(message) for message in self.messages.values())

    def close(self) -> None:
        """Let no timer outlive the queue."""
        if self._timer is not None:
            self._timer.cancel()

    def _take(self, take: Take) -> list[Message]:
        self._surface()
        taken: list[Message] = []
        left = []
        now = _now()
        while len(taken) < take.limit and (message := self._next(now)) is not None:
            if take.bury is not None and take.most is not None and message.receives_here >= take.most:
                del self.messages[message.id]
                self.counts["buried"] += 1
                take.bury(message)
                continue
            message.receives += 1
            message.receives_here += 1
            message.received_at = now
            message.first_received = message.first_received or time.time()
            taken.append(message)
            message.visible_at = now
            if take.visibility:
                self._hide(message, now + take.visibility)
            message.spare = take.twice
            if take.twice or not take.visibility:
                left.append(message)
        self.counts["received"] += len(taken)
        for message in left:
            self._offer(message, first=True)
        return taken

    def _next(self, now: float) -> Message | None:
        """The next message that can be had, of the group whose turn it is."""
        while self._ready:
            group, waiting = next(iter(self._ready.items()))
            message = waiting.popleft()
            if waiting:
                self._ready.move_to_end(group)
            else:
                del self._ready[group]
            # It may have been deleted, or stand here twice and be taken already.
            if self.messages.get(message.id) is not message or not (message.spare or message.visible_at <= now):
                continue
            if message.sent_at + self.retention <= time.time():
                self._forget(message)
                continue
            message.spare = False
            return message
        return None

    def _offer(self, message: Message, *, first: bool = False) -> None:
        waiting = self._ready.setdefault(message.group, deque())
        (waiting.appendleft if first else waiting.append)(message)
        self._wake()

    def _return(self, message: Message) -> None:
        message.visible_at = _now()
        self._offer(message, first=True)

    def _wake(self) -> None:
        """One message, one caller."""
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return

    def _hide(self, message: Message, until: float) -> None:
        message.visible_at = until
        heapq.heappush(self._hidden, (until, next(self._order), message))
        if self._hidden[0][2] is message:
            self._set_timer()

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
        if self._hidden:
            self._timer = asyncio.get_running_loop().call_at(self._hidden[0][0], self._ring)

    def _ring(self) -> None:
        self._surface()
        self._set_timer()  # also if nothing was due: a loop may ring a moment early

    def _surface(self) -> None:
        """Offer what was hidden until now."""
        now, found = _now(), False
        while self._hidden and self._hidden[0][0] <= now:
            until, _, message = heapq.heappop(self._hidden)
            found = True
            if message.visible_at == until and self.messages.get(message.id) is message:
                self._offer(message, first=message.receives > 0)
        if found:
            self._set_timer()

    def _expire(self) -> None:
        oldest = time.time() - self.retention
        for message in [one for one in self.messages.values() if one.sent_at <= oldest]:
            self._forget(message)

    def _forget(self, message: Message) -> None:
        del self.messages[message.id]
        self.counts["expired"] += 1


def _now() -> float:
    return asyncio.get_running_loop().time()
