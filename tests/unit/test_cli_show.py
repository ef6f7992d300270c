"""What stands on the terminal: whatever a job's texts hold, it is shown and not obeyed."""

from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console, RenderableType

from darkroom_cli.finding import fine, report, skipped, warning, wrong
from darkroom_cli.show import age, job_table, runtime_table, whole_job
from darkroom_cli.texts import duration, plain
from darkroom_cli.waterfall import stages_of, waterfall
from darkroom_contract.api import ArtifactView, JobView, Links, QueueState, RuntimeView, Wait
from darkroom_contract.document import Error, Timings
from darkroom_contract.job import State, Task

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOSTILE = "[red]x[/red] [/] \x1b[2J\x07 \r\u202e"


def _text(shown: RenderableType, width: int = 80) -> str:
    console = Console(width=width, record=True, force_terminal=False, file=None)
    with console.capture() as captured:
        console.print(shown, highlight=False)
    return captured.get()


def _job(**fields: object) -> JobView:
    given = {"id": "0195b4c6-7a10-7cc3-9f0e-3b8e6a1d2f40", "runtime": "sdxl", "state": State.COMPLETED, **fields}
    return JobView(links=Links(itself="/", page="/"), **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0.00 s"), (9.994, "9.99 s"), (10, "10 s"), (119, "119 s"), (120, "2 min"), (7200, "2 h"), (200_000, "2 d")],
)
def test_seconds_as_people_say_them(seconds: float, text: str) -> None:
    """Two figures or three, never more."""
    assert duration(seconds) == text


def test_ages() -> None:
    """In whole units; clocks that differ make no negative ones."""
    assert [age(NOW - timedelta(seconds=s), NOW) for s in (3.7, 90, 4000)] == ["4 s", "90 s", "67 min"]
    assert age(NOW + timedelta(seconds=5), NOW) == "0 s"
    assert age(None, NOW) == "–"


def test_texts_from_outside_are_not_obeyed() -> None:
    """Neither as the terminal's control codes nor as markup; in none of the views."""
    assert plain(HOSTILE) == "[red]x[/red] [/] \\x1b[2J\\x07 \\r\\u202e"
    error = Error(code=HOSTILE, message=HOSTILE, retryable=False)
    artifact = ArtifactView(url=HOSTILE, content_type="image/png", bytes=1, sha256="", download_url="")
    job = _job(id=HOSTILE, runtime=HOSTILE, tenant=HOSTILE, trace_id=HOSTILE, error=error, artifacts=(artifact,))
    runtime = RuntimeView(name=HOSTILE, type=HOSTILE, bulk=False, queue=QueueState(waiting=1, in_flight=0))
    timings = Timings(runtime=1.0, nodes={HOSTILE: 1.0})
    finding = wrong(HOSTILE, HOSTILE, "why", "todo")
    for shown in (whole_job(job), job_table([job], NOW), runtime_table([runtime]), report([finding])):
        text = _text(shown, 400)
        assert "[red]x[/red] [/]" in text
        assert not {"\x1b", "\x07", "\r", "\u202e"} & set(text)
    assert "\x1b" not in "".join(_text(one, 400) for one in waterfall(_job(timings=timings)))


def test_a_whole_job_is_told() -> None:
    """With all that a person wants to know of it, and nothing that is not there."""
    queued = _job(state=State.QUEUED, queue=Wait(waiting=3, in_flight=1, wait_seconds=40), submitted_at=NOW)
    text = _text(whole_job(queued))
    assert "3 waiting, 1 at work, about 40 s" in text
    assert "2026-11-24 12:00:00 UTC" in text
    assert "attempt" not in text
    running = _text(whole_job(_job(state=State.RUNNING, progress=0.42, attempt=2, task=Task.PIPELINE)))
    assert "running 42%" in running
    assert "2  1 attempt before it, within queued" in running
    assert "pipeline" in running


def test_the_waterfall_has_each_stage_where_it_began() -> None:
    """Nodes below the runtime, the longest first and eight at the most; without times there is none."""
    nodes = {str(n): n / 100 for n in range(20)}
    timings = Timings(queued=5.0, prepare=0.0, runtime=5.0, store=0.0, nodes=nodes)
    lines = "".join(_text(one) for one in waterfall(_job(timings=timings))).splitlines()
    stages = {line.split()[0]: line for line in lines if line.strip()}
    assert stages["queued"].index("█") < stages["runtime"].index("█")
    assert "█" not in stages["prepare"]
    assert [line.split()[1] for line in lines if "node" in line] == ["19", "18", "17", "16", "15", "14", "13", "12"]
    assert "10.00 s" in stages["total"]
    assert list(waterfall(_job())) == []


def test_nodes_are_named_by_what_they_are() -> None:
    """Where the agent has told it; a number alone says nothing to who called a named workflow."""
    timings = Timings(runtime=2.0, nodes={"3": 1.5, "8": 0.5}, node_classes={"3": "KSampler"})
    text = "".join(_text(one) for one in waterfall(_job(timings=timings)))
    assert "KSampler 3" in text
    assert "node 8" in text


def test_what_lies_between_the_stages_is_a_stage() -> None:
    """The wait for the GPU and the way of the result, from the moments that the document has; clocks may disagree."""
    timings = Timings(queued=1.0, prepare=0.5, runtime=4.0, store=0.25)
    moments = {
        "submitted_at": NOW,
        "started_at": NOW + timedelta(seconds=3.5),
        "finished_at": NOW + timedelta(seconds=8),
    }
    job = _job(timings=timings, **moments)
    expected = {"queued": 1.0, "prepare": 0.5, "wait": 2.0, "runtime": 4.0, "collect": 0.5, "store": 0.25}
    assert stages_of(job) == pytest.approx(expected)
    assert list(stages_of(job)) == list(expected)
    assert stages_of(_job(timings=timings, submitted_at=NOW, started_at=NOW)).keys() == {
        "queued",
        "prepare",
        "runtime",
        "store",
    }


def test_a_list_fits_a_terminal() -> None:
    """Of 80 columns, ids whole, with the reasons of failures below."""
    error = Error(code="out_of_memory", message="the GPU has not enough memory", retryable=True)
    jobs = [_job(submitted_at=NOW - timedelta(minutes=3)), _job(state=State.FAILED, error=error)]
    text = _text(job_table(jobs, NOW))
    assert "3 min" in text
    assert text.count("0195b4c6-7a10-7cc3-9f0e-3b8e6a1d2f40") == 3
    assert "out_of_memory: the GPU has not enough memory" in " ".join(text.split())
    assert _text(job_table([], NOW)).strip() == "no jobs"
    assert _text(runtime_table([])).strip() == "no runtime is installed"


def test_findings_are_summed() -> None:
    """With what to do below each, and only the verdicts that there are."""
    text = _text(
        report([fine("a", "seen"), fine("b", "seen"), warning("c", "seen", "because", "do it"), skipped("d", "")])
    )
    assert "2 fine  1 warning  1 skipped" in text
    assert "→ do it" in text
    assert "wrong" not in text
