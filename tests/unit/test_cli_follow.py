"""Many at once: in order, bounded, and what is told of failures; and how the program ends."""

import asyncio
import sys

import pytest

from darkroom_cli import follow, main
from darkroom_cli.failures import DarkroomError, NotFound, NotReachable, Refused
from darkroom_cli.follow import many, sift


async def test_what_went_well_is_told_in_order_as_it_goes() -> None:
    """Whatever order it comes in: who is interrupted knows how far it came."""
    gates = [asyncio.Event() for _ in range(4)]
    told: list[int] = []

    async def act(number: int) -> int:
        await gates[number].wait()
        return number

    running = asyncio.create_task(many(range(4), act, "", each=told.append))
    for number, then in ((1, []), (0, [0, 1]), (3, [0, 1])):
        gates[number].set()
        for _ in range(10):  # let it go as far as it can
            await asyncio.sleep(0)
        assert told == then
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_sixteen_at_a_time() -> None:
    """No more, and no fewer."""
    now = most = 0

    async def act(_: int) -> None:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0)
        now -= 1

    await many(range(100), act, "")
    assert most == follow._AT_ONCE


async def test_an_api_that_is_lost_is_asked_no_more() -> None:
    """Other failures stop nobody."""
    tried: list[int] = []

    async def act(number: int) -> int:
        tried.append(number)
        await asyncio.sleep(0)
        if number == 20:
            raise NotReachable("gone")
        if number == 0:
            raise Refused("odd")
        return number

    outcomes = await many(range(1000), act, "")
    assert 20 < len(tried) < 60
    assert str(outcomes[0]) == "odd"
    assert isinstance(outcomes[999], NotReachable)


def test_the_same_reason_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    """And counted; the highest exit status is the one."""
    outcomes: list[int | DarkroomError] = [1, Refused("[odd]"), Refused("[odd]"), NotFound("none"), Refused("[odd]")]
    assert sift(outcomes, list("abcde")) == ([1], 4)
    assert capsys.readouterr().err.splitlines() == ["b: [odd]", "d: none", "and 2 more: [odd]"]


def test_the_program_ends_with_one_line_and_its_status(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No trace of its inside; results and messages do not mix."""
    monkeypatch.setattr(sys, "argv", ["darkroom", "get", "a", "--endpoint", "api.example"])
    with pytest.raises(SystemExit) as ended:
        main.main()
    assert ended.value.code == 3
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "darkroom: 'api.example' is no address of an API: it begins with https://\n")
