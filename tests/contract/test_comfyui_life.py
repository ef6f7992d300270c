"""The comfyui adapter while a job runs: cancelling, standstill, crashes, lost connections, as they were recorded."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web

from darkroom_agent.errors import RuntimeFailed, RuntimeGone, RuntimeWedged
from darkroom_agent.ports import Result
from darkroom_agent.runtimes.comfyui import ComfyUI

from .comfyui_server import ANY_JOB, LIMITS, Comfy, comfy_of, read, renamed, run, running
from .recorded_server import cut, respond, serving

SHORT = replace(LIMITS, stall_seconds=0.2, interrupt_seconds=0.3)


@asynccontextmanager
async def started(comfy: Comfy) -> AsyncIterator[tuple[ComfyUI, asyncio.Task[asyncio.Task[Result]]]]:
    """An adapter and its run, once the server has taken the prompt and is asked what became of it."""
    asked = asyncio.Event()
    queue = comfy.server._answers["GET", "/queue"]

    def ask(request: web.Request, body: Any) -> Any:
        if comfy.prompt_id:
            asked.set()
        return queue(request, body)

    comfy.server.answer("GET", "/queue", ask)
    async with asyncio.timeout(10), serving(comfy.server) as url:
        adapter = ComfyUI(url, SHORT)
        task = asyncio.create_task(adapter.run(await adapter.prepare(ANY_JOB, 1, {}), lambda _: None))
        await asked.wait()
        try:
            yield adapter, task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await adapter.close()


def obeying(comfy: Comfy, path: str, name: str) -> None:
    """Let an order take effect: the prompt leaves the queue."""

    def obey(_request: web.Request, _body: Any) -> web.Response:
        comfy.place = None
        return respond(read(name))

    comfy.server.answer("POST", path, obey)


async def test_cancelling_interrupts_this_very_prompt_and_waits_for_it() -> None:
    """Targeted (recorded: interrupt_right_id), for an untargeted interrupt would stop whichever job runs."""
    comfy = running(read("txt2img_interrupted_ws"))
    obeying(comfy, "/interrupt", "interrupt_right_id")
    async with started(comfy) as (adapter, task):
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert comfy.asked("POST", "/interrupt") == [{"prompt_id": comfy.prompt_id}]
        assert comfy.asked("POST", "/queue") == []
        await adapter.probe()


async def test_cancelling_takes_a_waiting_prompt_out_of_the_queue() -> None:
    """No interrupt, for that would hit somebody else's job (recorded: queue_delete_pending)."""
    comfy = running(place="queue_pending")
    obeying(comfy, "/queue", "queue_delete_pending")
    async with started(comfy) as (adapter, task):
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert comfy.asked("POST", "/queue") == [{"delete": [comfy.prompt_id]}]
        assert comfy.asked("POST", "/interrupt") == []
        await adapter.probe()


async def test_cancelling_while_the_prompt_is_sent_stops_it_nevertheless() -> None:
    """The server may take it after the caller has hung up: it is waited for, and then stopped."""
    comfy = running()
    obeying(comfy, "/interrupt", "interrupt_right_id")
    arrived, go_on = asyncio.Event(), asyncio.Event()
    take = comfy.server._answers["POST", "/prompt"]

    async def slowly(request: web.Request, body: Any) -> web.Response:
        arrived.set()
        await go_on.wait()
        response: web.Response = take(request, body)
        return response

    comfy.server.answer("POST", "/prompt", slowly)
    async with asyncio.timeout(10), serving(comfy.server) as url:
        adapter = ComfyUI(url, LIMITS)
        task = asyncio.create_task(adapter.run(await adapter.prepare(ANY_JOB, 1, {}), lambda _: None))
        await arrived.wait()
        task.cancel()
        asyncio.get_running_loop().call_later(0.1, go_on.set)
        with pytest.raises(asyncio.CancelledError):
            await task
        await adapter.close()
    assert comfy.place is None


async def test_a_cancelled_job_that_does_not_stop_is_remembered() -> None:
    """The next probe asks for a restart, once."""
    async with started(running()) as (adapter, task):
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises(RuntimeWedged, match="did not stop"):
            await adapter.probe()
        await adapter.probe()


async def test_a_wedged_worker_is_found_by_its_standstill() -> None:
    """HTTP is healthy, the job stays in progress, interrupt does nothing (recorded: wedged_ws, wedged_queue)."""
    comfy = running(read("wedged_ws"))

    def queue(_request: web.Request, _body: Any) -> web.Response:
        told = read("wedged_queue")["body"]
        told["queue_running"][0][1] = comfy.prompt_id
        return web.json_response(told)

    comfy.server.answer("GET", "/queue", queue)
    with pytest.raises(RuntimeWedged, match=r"no progress for 0\.2 s"):
        await run(comfy.server, ANY_JOB, SHORT)
    assert {"prompt_id": comfy.prompt_id} in comfy.asked("POST", "/interrupt")


async def test_a_stalled_job_that_can_be_interrupted_needs_no_restart() -> None:
    """It is worth another try, and the runtime goes on."""
    comfy = running(read("wedged_ws"))
    obeying(comfy, "/interrupt", "interrupt_right_id")
    with pytest.raises(RuntimeFailed, match="until it was interrupted") as raised:
        await run(comfy.server, ANY_JOB, SHORT)
    assert not raised.value.restart


async def test_waiting_behind_somebody_elses_prompt_is_no_standstill() -> None:
    """However long; its turn comes."""
    comfy = comfy_of("run_success")
    entry, comfy.entry, comfy.place = comfy.entry, None, "queue_pending"
    asyncio.get_running_loop().call_later(3 * SHORT.stall_seconds, setattr, comfy, "entry", entry)
    assert (await run(comfy.server, ANY_JOB, SHORT)).files


async def test_progress_that_cannot_be_seen_is_no_standstill() -> None:
    """Without a websocket the history is enough, however long the job runs."""
    comfy = comfy_of("run_success")
    entry, comfy.entry, comfy.place = comfy.entry, None, "queue_running"
    asyncio.get_running_loop().call_later(3 * SHORT.stall_seconds, setattr, comfy, "entry", entry)
    async with serving(comfy.server) as url:
        adapter = ComfyUI(url, SHORT)
        adapter._events._url = f"{url}/nothing-here"
        result = await (await adapter.run(await adapter.prepare(ANY_JOB, 1, {}), lambda _: None))
        await adapter.close()
    assert result.files


@pytest.mark.parametrize("name", ["crash_os_exit_ws", "crash_segfault_ws", "sigterm_ws"])
async def test_a_crash_is_seen_at_once(name: str) -> None:
    """The websocket closes with 1006, then connections break; the stall limit need not run out."""
    with pytest.raises(RuntimeGone, match="no connection"):
        async with asyncio.timeout(2):
            await run(running(read(name)).server, ANY_JOB, replace(LIMITS, stall_seconds=60))


async def test_a_restarted_server_has_lost_the_job() -> None:
    """Empty history, empty queue (recorded: history_after_restart): worth another attempt."""
    assert read("history_after_restart")["body"] == {}
    with pytest.raises(RuntimeGone, match="lost"):
        await run(Comfy([], None).server, ANY_JOB)


async def test_after_an_ambiguous_answer_the_server_is_asked_before_sending_again() -> None:
    """The connection was cut after the prompt had arrived: it is found, and not sent twice."""
    comfy = comfy_of("run_success")
    take = comfy.server._answers["POST", "/prompt"]

    def take_and_cut(request: web.Request, body: Any) -> web.Response:
        response: web.Response = take(request, body)
        cut(request)
        return response

    comfy.server.answer("POST", "/prompt", take_and_cut)
    assert len((await run(comfy.server, ANY_JOB)).files) == 1
    assert len(comfy.asked("POST", "/prompt")) == 1


async def test_a_prompt_that_did_not_arrive_is_another_attempts_business() -> None:
    """Neither history nor queue know it: it is not sent twice by this attempt."""
    comfy = Comfy([], None)

    def lose(request: web.Request, body: Any) -> web.Response:
        comfy.server.answer("GET", f"/history/{body['prompt_id']}", read("get_history_unknown"))
        cut(request)
        return web.Response()

    comfy.server.answer("POST", "/prompt", lose)
    with pytest.raises(RuntimeGone, match="POST /prompt"):
        await run(comfy.server, ANY_JOB)
    assert len(comfy.asked("POST", "/prompt")) == 1


async def test_a_job_is_stopped_when_its_state_cannot_be_read() -> None:
    """A server that fails to answer may still be busy with it."""
    comfy = running()
    obeying(comfy, "/interrupt", "interrupt_right_id")
    take = comfy.server._answers["POST", "/prompt"]

    def taken(request: web.Request, body: Any) -> web.Response:
        response: web.Response = take(request, body)
        comfy.server.answer("GET", f"/history/{body['prompt_id']}", {**read("history_while_running"), "status": 500})
        return response

    comfy.server.answer("POST", "/prompt", taken)
    with pytest.raises(RuntimeFailed, match="500"):
        await run(comfy.server, ANY_JOB)
    assert comfy.place is None


async def test_interrupted_by_somebody_else_is_worth_another_try() -> None:
    """The history tells it (recorded: history_interrupted, interrupt_ws_owner)."""
    entry = next(iter(read("history_interrupted")["body"].values()))
    owner = [event for event in read("interrupt_ws_owner") if "type" in event]
    with pytest.raises(RuntimeFailed, match="somebody else"):
        await run(Comfy(owner, entry).server, ANY_JOB)


async def test_a_lost_websocket_is_opened_again_and_progress_goes_on() -> None:
    """Nothing is replayed, and the first event there names no prompt (recorded: ws_reconnect_same_client_id)."""
    comfy = running()
    taken = asyncio.Event()
    seen: asyncio.Queue[float] = asyncio.Queue()
    take = comfy.server._answers["POST", "/prompt"]

    def look(request: web.Request, body: Any) -> web.Response:
        comfy.server.events([renamed(event, comfy.prompt_id) for event in read("ws_reconnect_same_client_id")])
        return comfy._history(request, body)

    def taking(request: web.Request, body: Any) -> web.Response:
        response: web.Response = take(request, body)
        comfy.server.answer("GET", f"/history/{comfy.prompt_id}", look)
        taken.set()
        return response

    comfy.server.answer("POST", "/prompt", taking)
    async with asyncio.timeout(10), serving(comfy.server) as url:
        adapter = ComfyUI(url, replace(LIMITS, stall_seconds=60))
        task = asyncio.create_task(adapter.run(await adapter.prepare(ANY_JOB, 1, {}), seen.put_nowait))
        await taken.wait()
        cut(comfy.server.sockets[0])
        assert await seen.get() > 0
        comfy.entry = comfy_of("run_success").entry
        assert (await (await task)).files
        await adapter.close()
