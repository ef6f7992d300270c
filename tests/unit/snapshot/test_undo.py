"""What is removed in the end, and how waiting ends."""

import signal
from contextlib import suppress

import pytest

from bottlerocket_snapshot.failures import SnapshotError, TimedOut
from bottlerocket_snapshot.undo import Undo
from tests.unit.snapshot.world import Ticking


def _undo(said: list[str] | None = None) -> Undo:
    return Undo(Ticking().clock, (said if said is not None else []).append)


def test_the_newest_goes_first_and_each_whatever_became_of_the_others() -> None:
    """A step that fails for good is told, one that fails once is tried again."""
    done: list[str] = []
    tries = iter([OSError("no"), None])

    def once() -> None:
        if error := next(tries):
            raise error
        done.append("b")

    def never() -> None:
        raise SnapshotError("it stays")

    undo = _undo()
    with suppress(ZeroDivisionError), undo:
        undo.add("a", lambda: done.append("a"))
        undo.add("b", once)
        undo.add("c", never)
        raise ZeroDivisionError
    assert done == ["b", "a"]
    assert undo.left == ["c: it stays"]


def test_what_is_kept_stays() -> None:
    """Only that."""
    done: list[str] = []
    undo = _undo()
    with undo:
        undo.add("a", lambda: done.append("a"))
        undo.keep(undo.add("b", lambda: done.append("b")))
    assert done == ["a"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_block_and_a_second_one_does_not_end_the_removing(number: signal.Signals) -> None:
    """It is only told that it goes on; afterwards signals mean what they meant."""
    said: list[str] = []
    done: list[str] = []
    before = signal.getsignal(number)

    def remove() -> None:
        signal.raise_signal(number)
        done.append("a")

    undo = _undo(said)
    with suppress(KeyboardInterrupt), undo:
        undo.add("a", remove)
        signal.raise_signal(number)
        pytest.fail("it went on")
    assert done == ["a"]
    assert len(said) == 1
    assert signal.getsignal(number) is before


def test_a_signal_while_something_is_removed_early_ends_the_block_afterwards() -> None:
    """The step is done, then it stops."""
    done: list[str] = []
    undo = _undo()
    with suppress(KeyboardInterrupt), undo:
        undo.add("a", lambda: done.append("a"))
        undo.remove(undo.add("b", lambda: signal.raise_signal(signal.SIGINT)))
        pytest.fail("it went on")
    assert (done, undo.left) == (["a"], [])


def test_waiting_ends_with_what_was_seen_or_in_time() -> None:
    """It looks once more at the very end, and says why it matters."""
    ticking = Ticking()
    looks = iter([None, None, "there"])
    assert ticking.clock.deadline(10, "why").until(lambda: next(looks), 3) == "there"
    assert ticking.seconds == 6
    seen: list[float] = []
    with pytest.raises(TimedOut, match="why"):
        ticking.clock.deadline(10, "why").until(lambda: seen.append(ticking.seconds), 3)
    assert seen == [6, 9, 12, 15, 16]


def test_a_step_ends_no_later_than_the_whole() -> None:
    """And says so with the words of what ended."""
    clock = Ticking().clock
    whole = clock.deadline(10, "whole")
    assert whole.sooner(5, "step").why == "step"
    assert whole.sooner(50, "step").why == "whole"
