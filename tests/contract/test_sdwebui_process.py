"""The sdwebui adapter and the server's process: settings, progress, interrupts, ghosts and wedges."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from darkroom_agent.errors import RuntimeFailed, RuntimeGone, RuntimeWedged
from darkroom_agent.ports import ignore_progress
from darkroom_agent.runtimes.sdwebui import SDWebUI
from darkroom_contract.job import Job

from .recorded_server import Recorded, respond, serving
from .recordings import recording
from .test_sdwebui import LIMITS, job_of, server_of

OK = recording("a1111", "txt2img_ok")
OPTIONS, TXT2IMG, INTERRUPT = "/sdapi/v1/options", "/sdapi/v1/txt2img", "/sdapi/v1/interrupt"


@asynccontextmanager
async def adapter_of(server: Recorded, *, dynamic: bool = False) -> AsyncIterator[SDWebUI]:
    async with serving(server) as url:
        adapter = SDWebUI(url, LIMITS, dynamic_model=dynamic)
        try:
            yield adapter
        finally:
            await adapter.close()


async def finish(adapter: SDWebUI, job: Job) -> None:
    await (await adapter.run(await adapter.prepare(job, 1, {}), ignore_progress))


async def test_settings_do_not_leak_into_later_jobs() -> None:
    """The server restores only options that had been set before: each is set to what it is, once, before its job."""
    recorded = recording("a1111", "txt2img_override_settings")
    server = server_of(recorded)
    async with adapter_of(server) as adapter:
        for _ in range(2):
            await finish(adapter, job_of(recorded, override_settings_restore_afterwards=False))
    before = recording("a1111", "get_options")["body"]
    posts = [(path, body) for method, path, body in server.asked if method == "POST"]
    assert [path for path, _ in posts] == [OPTIONS, TXT2IMG, TXT2IMG]
    assert posts[0][1] == {key: before[key] for key in ("CLIP_stop_at_last_layers", "samples_format")}
    assert all(body["override_settings_restore_afterwards"] for path, body in posts if path == TXT2IMG)


class Running:
    """A server whose job ends when it is interrupted (after `deaf` interrupts), or never."""

    def __init__(self, *, deaf: float = 0) -> None:
        self.server = server_of(OK)
        self.began, self.stopped = asyncio.Event(), asyncio.Event()
        self.states = recording("a1111", "progress_during")[::3]
        self._deaf = deaf
        self.server.answer("GET", "/sdapi/v1/progress", self._progress)
        self.server.answer("POST", TXT2IMG, self._work)
        self.server.answer("POST", INTERRUPT, self._interrupt)

    def _progress(self, _request: web.Request, _body: Any) -> web.Response:
        if self.stopped.is_set():
            return respond(recording("a1111", "get_progress"))
        return web.json_response(self.states.pop(0) if len(self.states) > 1 else self.states[0])

    async def _work(self, _request: web.Request, _body: Any) -> web.Response:
        self.began.set()
        await self.stopped.wait()
        return respond(recording("a1111", "txt2img_interrupted"))

    def _interrupt(self, _request: web.Request, _body: Any) -> web.Response:
        self._deaf -= 1
        if self._deaf < 0:
            self.stopped.set()
        return respond(recording("a1111", "interrupt_running"))


async def test_progress_is_reported_and_its_end_is_a_stall() -> None:
    """As recorded while a job ran; when nothing moves any more it is interrupted, and tried again."""
    running, seen = Running(), list[float]()
    async with adapter_of(running.server) as adapter:
        with pytest.raises(RuntimeFailed, match=r"no progress for 0\.5 s; the job was interrupted"):
            await adapter.run(await adapter.prepare(job_of(OK), 1, {}), seen.append)
        await adapter.probe()
    assert seen == sorted({state["progress"] for state in recording("a1111", "progress_during")})


async def test_a_job_that_cannot_be_interrupted_means_a_wedge() -> None:
    """Until the server is idle or gone: only a restart helps."""
    running = Running(deaf=float("inf"))
    async with adapter_of(running.server) as adapter:
        with pytest.raises(RuntimeWedged, match="no progress"):
            await finish(adapter, job_of(OK))
        for _ in range(2):
            with pytest.raises(RuntimeWedged, match="did not stop"):
                await adapter.probe()
        running.stopped.set()
        await adapter.probe()


async def cancel(adapter: SDWebUI, running: Running) -> None:
    task = asyncio.create_task(adapter.run(await adapter.prepare(job_of(OK), 1, {}), ignore_progress))
    await running.began.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_cancelling_interrupts_and_throws_the_partial_answer_away() -> None:
    """An interrupted job answers 200 with a partial image and no mark (recorded): nothing of it comes out."""
    running = Running()
    async with adapter_of(running.server) as adapter:
        await cancel(adapter, running)
        assert running.stopped.is_set()
        await adapter.probe()


async def test_an_interrupt_that_came_too_early_is_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    """A job that begins clears the mark of an interrupt before it."""
    monkeypatch.setattr("darkroom_agent.runtimes.sdwebui._AGAIN_SECONDS", 0.02)
    running = Running(deaf=1)
    async with adapter_of(running.server) as adapter:
        await cancel(adapter, running)
        assert running.stopped.is_set()


async def test_a_cancelled_job_that_goes_on_is_a_wedge() -> None:
    """The cancellation is not held up for ever, nobody waits for its answer, and the next probe tells."""
    running = Running(deaf=float("inf"))
    async with adapter_of(running.server) as adapter:
        await cancel(adapter, running)
        await asyncio.sleep(0)
        assert "RuntimeHttp.open" not in [task.get_coro().__qualname__ for task in asyncio.all_tasks()]  # type: ignore[union-attr]
        with pytest.raises(RuntimeWedged, match="did not stop"):
            await adapter.probe()
        running.stopped.set()


async def test_a_server_without_interrupt_is_waited_for() -> None:
    """sd.cpp's server knows neither progress nor interrupt: its job ends in time, or the probe tells once."""
    running = Running()
    running.server.answer("GET", "/sdapi/v1/progress", recording("sdcpp", "get_sdapi_v1_progress"))
    running.server.answer("POST", INTERRUPT, recording("sdcpp", "sdapi_interrupt"))
    async with adapter_of(running.server) as adapter:
        await cancel(adapter, running)
        with pytest.raises(RuntimeWedged):
            await adapter.probe()
        await adapter.probe()
        running.stopped.set()


async def test_broken_progress_harms_no_job() -> None:
    """What is no JSON, or of other types, is no news."""
    running = Running()
    odd = iter(["<html>", {"progress": "x"}, {"progress": None}])

    def progress(_request: web.Request, _body: Any) -> web.Response:
        answer = next(odd, None)
        if answer is None:
            running.stopped.set()
        return web.json_response({}) if answer is None else respond({"status": 200, "body": answer})

    running.server.answer("GET", "/sdapi/v1/progress", progress)
    async with adapter_of(running.server) as adapter:
        await finish(adapter, job_of(OK))


async def test_a_ghost_of_a_client_that_left_is_interrupted_by_the_probe() -> None:
    """The server goes on working for it (recorded): the next job must not wait behind it."""
    running = Running()
    running.states = recording("a1111", "progress_after_client_disconnect")
    async with adapter_of(running.server) as adapter:
        await adapter.probe()
    assert running.stopped.is_set()


async def test_a_ghost_that_does_not_stop_is_no_wedge() -> None:
    """A1111 shows a failed upscale as running until the next job: it must not be restarted for that."""
    async with adapter_of(Running(deaf=float("inf")).server) as adapter:
        await adapter.probe()


async def test_a_probe_leaves_a_running_job_alone() -> None:
    """What another slot runs is no ghost."""
    running = Running()
    async with adapter_of(running.server) as adapter:
        task = asyncio.create_task(adapter.run(await adapter.prepare(job_of(OK), 1, {}), ignore_progress))
        await running.began.wait()
        await adapter.probe()
        assert not running.stopped.is_set()
        running.stopped.set()
        await (await task)


@pytest.mark.parametrize("answer", [(401, {"detail": "Not authenticated"}), (500, "starting"), (200, "<html>")])
async def test_a_server_that_cannot_run_jobs_yet_is_gone(answer: tuple[int, Any]) -> None:
    """Whatever it answers: not ready."""
    server = Recorded()
    server.answer("GET", "/sdapi/v1/progress", {"status": answer[0], "body": answer[1]})
    async with adapter_of(server) as adapter:
        with pytest.raises(RuntimeGone):
            await adapter.probe()


async def test_what_is_no_webui_is_gone() -> None:
    """A WebUI without --api answers 404 to all of it."""
    async with adapter_of(Recorded()) as adapter:
        with pytest.raises(RuntimeGone, match="--api"):
            await adapter.probe()


async def test_a_server_that_is_not_there_is_gone_and_forgotten() -> None:
    """Refused connections are worth another try; who answers next is another process, with other lists."""
    server = server_of(OK)
    async with adapter_of(server) as adapter:
        await finish(adapter, job_of(OK))
        known = adapter.loaded_model
        assert known == "probe-sd15-random"
        server.answer("GET", "/sdapi/v1/progress", _cut)
        with pytest.raises(RuntimeGone):
            await adapter.probe()
        forgotten = adapter.loaded_model
        assert forgotten is None
        server.answer("GET", "/sdapi/v1/progress", recording("a1111", "get_progress"))
        await finish(adapter, job_of(OK))
    assert [path for _, path, _ in server.asked].count("/sdapi/v1/samplers") == 2


def _cut(request: web.Request, _body: Any) -> web.Response:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def test_credentials_are_sent_and_not_told() -> None:
    """API_BASE_URL may hold them; no message does."""
    heard: list[str | None] = []

    def progress(request: web.Request, _body: Any) -> web.Response:
        heard.append(request.headers.get("Authorization"))
        return respond({"status": 401, "body": {"detail": "Incorrect username or password"}})

    server = Recorded()
    server.answer("GET", "/sdapi/v1/progress", progress)
    async with serving(server) as url:
        adapter = SDWebUI(url.replace("://", "://me:sesame@"), LIMITS)
        with pytest.raises(RuntimeGone) as gone:
            await adapter.probe()
        await adapter.close()
    assert heard == ["Basic bWU6c2VzYW1l"]
    assert "sesame" not in str(gone.value)


async def test_memory_is_the_servers_own_and_can_be_freed() -> None:
    """For recycling; and after out of memory the checkpoint is taken off the GPU, and put back for the next job."""
    server = server_of(OK, "get_memory", "post_idle_unload-checkpoint", "post_reload_checkpoint")
    async with adapter_of(server) as adapter:
        assert await adapter.memory_bytes() == recording("a1111", "get_memory")["body"]["ram"]["used"]
        await adapter.free_memory()
    posts = [path for method, path, _ in server.asked if method == "POST"]
    assert posts == ["/sdapi/v1/unload-checkpoint", "/sdapi/v1/reload-checkpoint"]
