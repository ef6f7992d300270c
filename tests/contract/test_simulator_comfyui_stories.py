"""The simulator's queue, websockets and deaths are as ComfyUI's were recorded, step by step."""

import signal
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.simulators import simulator

from .comfyui_client import EMPTY, Listener, ask, check, is_over, listening, server, sleeping, submit, told
from .recordings import recording

# What the tests of several steps compare with, at the step where it was recorded.
STORIES = {
    "err_same_number_same_id",
    "history_after_delete_pending",
    "history_after_restart",
    "history_delete",
    "history_interrupted",
    "history_max_items",
    "history_while_running",
    "interrupt_right_id",
    "interrupt_wrong_id",
    "interrupt_ws_other_client",
    "interrupt_ws_owner",
    "job_after_delete_pending",
    "job_cancel_batch",
    "job_cancel_batch_bad",
    "job_cancel_finished",
    "job_cancel_pending",
    "job_cancel_unknown",
    "job_in_progress",
    "job_interrupted",
    "job_pending",
    "jobs_with_running_and_pending",
    "queue_delete_pending",
    "queue_delete_running",
    "queue_delete_unknown",
    "queue_with_running_and_pending",
    "crash_os_exit_ws",
    "crash_segfault_ws",
    "sigterm_ws",
    "txt2img_interrupted_job",
    "txt2img_interrupted_ws",
    "wedged_job",
    "wedged_queue",
    "wedged_ws",
    "ws_observer_when_no_client_id",
    "ws_reconnect_same_client_id",
}


class Queue:
    """A running prompt (39), one behind it (40), one behind that (41), and one at their front (-42)."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.ids: list[str] = []

    async def fill(self, client_id: str, listener: Listener) -> None:
        warm = {"1": EMPTY, "2": {**sleeping(0, 1, 0)["2"], "inputs": {"images": ["1", 0], "filename_prefix": "warm"}}}
        async with listening(self.url, "warming") as warming_up:
            await submit(self.url, warm, "warming")
            await warming_up.until(is_over)
        self.ids.append(await submit(self.url, sleeping(8.0, 40, 1), client_id))
        await listener.until(lambda event: event.get("type") == "executing" and event["data"]["node"] == "5")
        for nonce in (2, 3):
            self.ids.append(await submit(self.url, sleeping(0.1, 2, nonce), client_id))
        self.ids.append(await submit(self.url, sleeping(0.1, 2, 4), client_id, front=True))

    async def ask(self, name: str, method: str, path: str, body: Any = None) -> Any:
        return check(name, await ask(self.url, method, path, body))


async def test_a_queue_is_told_and_thinned_as_recorded(tmp_path: Path) -> None:
    """What /queue, /history and /api/jobs say of running and waiting prompts, and what deleting and cancelling do."""
    async with server(tmp_path) as url, listening(url, "me") as listener, listening(url, "other") as other:
        queue = Queue(url)
        await queue.fill("me", listener)
        running, second, third, front = queue.ids
        told_queue = await queue.ask("queue_with_running_and_pending", "GET", "/queue")
        assert [entry[1] for entry in told_queue["queue_pending"]] == [front, second, third]
        jobs = await queue.ask("jobs_with_running_and_pending", "GET", "/api/jobs")
        assert [job["id"] for job in jobs["jobs"]][:4] == [front, third, second, running]
        assert (await queue.ask("job_pending", "GET", f"/api/jobs/{second}"))["status"] == "pending"
        assert (await queue.ask("job_in_progress", "GET", f"/api/jobs/{running}"))["status"] == "in_progress"
        assert await queue.ask("history_while_running", "GET", f"/history/{running}") == {}
        await queue.ask("queue_delete_running", "POST", "/queue", {"delete": [running]})
        await queue.ask("queue_delete_unknown", "POST", "/queue", {"delete": ["nobody"]})
        await queue.ask("queue_delete_pending", "POST", "/queue", {"delete": [second]})
        await queue.ask("job_after_delete_pending", "GET", f"/api/jobs/{second}")
        assert await queue.ask("history_after_delete_pending", "GET", f"/history/{second}") == {}
        await queue.ask("interrupt_wrong_id", "POST", "/interrupt", {"prompt_id": third})
        assert await queue.ask("job_cancel_pending", "POST", f"/api/jobs/{third}/cancel") == {"cancelled": True}
        assert (await queue.ask("job_in_progress", "GET", f"/api/jobs/{running}"))["status"] == "in_progress"
        await queue.ask("interrupt_right_id", "POST", "/interrupt", {"prompt_id": running})
        await listener.until(is_over)
        (entry,) = (await queue.ask("history_interrupted", "GET", f"/history/{running}")).values()
        assert [kind for kind, _ in entry["status"]["messages"]][-1] == "execution_interrupted"
        assert (await queue.ask("job_interrupted", "GET", f"/api/jobs/{running}"))["status"] == "cancelled"
        await listener.until(is_over)
        await _after(queue, running, front)
        await other.until(lambda event: event["data"]["status"]["exec_info"]["queue_remaining"] == 0)
        assert {event["type"] for event in other.heard} == {"status"}, "others hear of the queue and no more"
    assert {event.get("type") for event in recording("comfyui", "interrupt_ws_other_client")} == {"status", None}
    assert steps(listener.heard) == steps(recording("comfyui", "interrupt_ws_owner"))


async def _after(queue: Queue, interrupted: str, finished: str) -> None:
    cancel = f"/api/jobs/{finished}/cancel"
    assert await queue.ask("job_cancel_finished", "POST", cancel) == {"cancelled": False}
    unknown = "0e3f6cbe-7f12-489d-9f35-f52df89de8a0"
    assert await queue.ask("job_cancel_unknown", "POST", f"/api/jobs/{unknown}/cancel") == {"cancelled": False}
    many = {"job_ids": [interrupted, finished]}
    assert await queue.ask("job_cancel_batch", "POST", "/api/jobs/cancel", many) == {"cancelled": False}
    await queue.ask("job_cancel_batch_bad", "POST", "/api/jobs/cancel", {"job_ids": ["x"]})
    assert (await ask(queue.url, "GET", f"/history/{finished}"))[2]
    await queue.ask("history_delete", "POST", "/history", {"delete": [finished]})
    assert (await ask(queue.url, "GET", f"/history/{finished}"))[2] == {}


def steps(events: list[Any]) -> list[Any]:
    """What happened, whatever the length of the queue and the number of steps before an interrupt."""
    passing = ("status", "progress", "progress_state", None)
    return [told(event) for event in events if event.get("type") not in passing]


async def test_without_a_client_everybody_observes(tmp_path: Path) -> None:
    """Progress, and nothing else."""
    wanted = [told(event) for event in recording("comfyui", "ws_observer_when_no_client_id") if "closed" not in event]
    async with server(tmp_path) as url, listening(url, "nobody") as listener:
        await submit(url, sleeping(0.1, 3, 11))
        await listener.until(lambda event: event["type"] == "status" and told(event)[1] == 0)
        assert [told(event) for event in listener.heard] == wanted
        assert len(check("history_max_items", await ask(url, "GET", "/history?max_items=1"))) == 1


async def test_after_a_reconnect_nothing_is_replayed(tmp_path: Path) -> None:
    """Only which node runs is told, and then what happens from there."""
    async with server(tmp_path) as url:
        async with listening(url, "me") as listener:
            await submit(url, sleeping(1.0, 8, 12), "me")
            await listener.until(lambda event: event["type"] == "progress")
        async with listening(url, "me") as listener:
            await listener.until(is_over)
    assert told(listener.heard[1]) == ("executing", {"node": "5"}, ["node"])
    assert steps(listener.heard) == steps(recording("comfyui", "ws_reconnect_same_client_id"))


async def test_a_sampler_is_interrupted_at_its_next_step(tmp_path: Path) -> None:
    """With the node and what was executed before it."""
    recorded = recording("comfyui", "txt2img_interrupted_job")
    graph = recorded["body"]["workflow"]["prompt"]
    async with server(tmp_path, latency=10) as url, listening(url, "me") as listener:
        prompt_id = await submit(url, graph, "me")
        await listener.until(lambda event: "binary_event" in event)
        await ask(url, "POST", "/interrupt", {"prompt_id": prompt_id})
        await listener.until(is_over)
        check("txt2img_interrupted_job", await ask(url, "GET", f"/api/jobs/{prompt_id}"))
    (stopped,) = [told(event) for event in listener.heard if event.get("type") == "execution_interrupted"]
    (wanted,) = [e for e in recording("comfyui", "txt2img_interrupted_ws") if e.get("type") == "execution_interrupted"]
    assert stopped[1][:2] == told(wanted)[1][:2] == ["3", "KSampler"]
    assert set(stopped[1][2]) == {"4", "5", "6", "7"}, "nothing was in the cache here"


async def test_a_wedge_is_healthy_and_never_ends(tmp_path: Path) -> None:
    """A node that raises SystemExit: the job stays in progress, the next one waits, interrupting does nothing."""
    graph = recording("comfyui", "wedged_queue")["body"]["queue_running"][0][2]
    async with server(tmp_path) as url, listening(url, "me") as listener:
        wedged = await submit(url, graph, "me")
        await listener.until(lambda event: event["type"] == "executing" and event["data"]["node"] == "5")
        second = await submit(url, sleeping(0, 1, 1), "me")
        await ask(url, "POST", "/interrupt", {"prompt_id": wedged})
        await ask(url, "POST", "/interrupt")
        assert check("wedged_job", await ask(url, "GET", f"/api/jobs/{wedged}"))["status"] == "in_progress"
        queue = check("wedged_queue", await ask(url, "GET", "/queue"))
        assert [entry[1] for entry in queue["queue_pending"]] == [second]
    # Node 1 was in the recorder's cache, here it was executed first.
    assert steps(listener.heard)[-1] == steps(recording("comfyui", "wedged_ws")[:-1])[-1]


async def test_the_same_number_and_id_breaks_the_queue(tmp_path: Path) -> None:
    """The server's heap cannot compare two prompts: 500, though only the second is at fault."""
    recorded = recording("comfyui", "err_same_number_same_id")
    request = recorded["request"]["json"]
    async with server(tmp_path) as url:
        await submit(url, sleeping(30, 1, 1))
        assert (await ask(url, "POST", "/prompt", request))[0] == 200
        check("err_same_number_same_id", await ask(url, "POST", "/prompt", request))


@pytest.mark.parametrize("name", ["crash_os_exit_ws", "crash_segfault_ws", "sigterm_ws"])
async def test_a_process_that_dies_says_nothing(name: str) -> None:
    """The websocket closes with 1006, connections are refused, and after the restart the history is empty."""
    async with simulator("comfyui", latency=0.05) as running, listening(running.url, "me") as listener:
        extra = {} if name == "sigterm_ws" else {"extra_data": {"simulator": {"fault": "crash"}}}
        seconds = 4 if name == "sigterm_ws" else 0.05
        prompt_id = await submit(running.url, sleeping(seconds, 20, 1), "me", **extra)
        if name == "sigterm_ws":
            await listener.until(lambda event: event["type"] == "progress")
            running.process.send_signal(signal.SIGTERM)
        await listener.until_closed()
        assert told(listener.heard[-1]) == told(recording("comfyui", name)[-1]) == ("closed", 1006)
        assert await running.process.wait() == (0 if name == "sigterm_ws" else 139)
        with pytest.raises(aiohttp.ClientConnectionError):
            await ask(running.url, "GET", "/queue")
    async with simulator("comfyui") as restarted:
        check("history_after_restart", await ask(restarted.url, "GET", f"/history/{prompt_id}"), exact=True)
