"""The playground against the real API, agents and simulated runtimes, as `make local` starts them."""

import json
import os
import re
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import FilePayload, Page, expect

from darkroom_local.emulator import EmulatorUnavailable
from darkroom_local.flow import Flow, flow
from darkroom_local.jobs import workflow
from darkroom_simulator.draw import draw, encode_png
from tests.page.conftest import SHOTS, Open

pytestmark = pytest.mark.asyncio(loop_scope="session")

# What `make local` has, but quicker to tell of running jobs and to see that one is to be cancelled.
AGENT = {
    "WAIT_SECONDS": "1",
    "RUNNING_AFTER_SECONDS": "0.3",
    "PROGRESS_SECONDS": "0.5",
    "CANCEL_POLL_SECONDS": "0.5",
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def up(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Flow]:
    """The whole flow, once for this module."""
    try:
        async with flow(tmp_path_factory.mktemp("flow"), 0.5, lambda _: None, None, **AGENT) as running:
            yield running
    except EmulatorUnavailable as reason:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(str(reason))


async def _faults(running: Flow, runtime: str, *faults: dict[str, Any]) -> None:
    """Let the runtime's next jobs go so, one after the other."""
    async with aiohttp.ClientSession(running.runtimes[runtime]) as session:
        for fault in faults:
            async with session.post("/_simulator/faults", json=fault) as answer:
                answer.raise_for_status()


async def _ask_for(page: Page, title: str, prompt: str) -> None:
    await page.get_by_label("Made by").select_option(label=title)
    await page.get_by_label("Prompt", exact=True).fill(prompt)
    await page.get_by_role("button", name="Make the picture").click()
    await expect(page.get_by_role("heading", name=prompt)).to_be_visible()


async def test_a_picture_of_the_readers_goes_through_the_bucket(open_page: Open, up: Flow) -> None:
    """The page's policy and the bucket's CORS rules let it go there."""
    page = await open_page(f"{up.api_url}/")
    await page.get_by_label("Made by").select_option(label="Restyle")
    sketch = encode_png(draw("a sketch", 3, 320, 256), {})
    await page.locator(".drop input").set_input_files(FilePayload(name="a.png", mimeType="image/png", buffer=sketch))
    await expect(page.locator(".drop.full")).to_be_visible()
    await page.get_by_label("Style").fill("an oil painting")
    await page.get_by_role("button", name="Make the picture").click()
    await expect(page.locator(".prints img")).to_have_js_property("naturalWidth", 640)


async def test_what_the_api_refuses_is_shown_at_its_field(open_page: Open, up: Flow) -> None:
    """The pointers of the real API are those that the page looks for."""
    page = await open_page(f"{up.api_url}/")
    await page.get_by_label("Made by").select_option(label="Portrait")
    prompt = page.get_by_label("Prompt", exact=True)
    await prompt.evaluate("box => box.removeAttribute('maxlength')")  # or else the browser keeps to it
    await prompt.fill("x" * 2001)
    await page.get_by_role("button", name="Make the picture").click()
    await expect(prompt).to_be_focused()
    await expect(prompt).to_have_accessible_description(re.compile("2000"))


async def test_what_the_runtime_refuses_is_told_with_its_reason(open_page: Open, up: Flow) -> None:
    """In the runtime's own words, where the picture would have been."""
    page = await open_page(f"{up.api_url}/")
    graph = workflow("an island of gulls", 1)
    graph["4"]["inputs"]["ckpt_name"] = "nowhere.safetensors"
    await page.get_by_label("Made by").select_option(label="sd-comfyui · ComfyUI")
    await page.get_by_label("Workflow", exact=True).fill(json.dumps(graph))
    await page.get_by_role("button", name="Make the picture").click()
    await expect(page.locator(".state")).to_have_text("Failed")
    await expect(page.locator(".paper")).to_contain_text("nowhere.safetensors")
    await expect(page.locator(".paper")).to_contain_text("(runtime_refused)")


async def test_from_a_prompt_to_a_picture(open_page: Open, up: Flow) -> None:
    """A job waits behind another, which is cancelled as it runs; then it runs, too, and its permalink shows the end."""
    await _faults(up, "sd-comfyui", {"fault": "hang"}, {"fault": "slow", "latency": 4})
    first = await open_page(f"{up.api_url}/")
    await _ask_for(first, "Landscape", "hills after rain")
    await expect(first.locator(".state")).to_have_text("Running")

    page = await open_page(f"{up.api_url}/")
    await _ask_for(page, "Landscape", "a lighthouse in a storm")
    await expect(page.locator(".state")).to_have_text("Queued")
    await expect(page.locator(".paper .caption")).to_have_text(re.compile(r"\d in the queue, \d in work"))

    await first.get_by_role("button", name="Cancel").click()
    await expect(first.locator(".state")).to_have_text("Cancelled")
    await expect(page.locator(".state")).to_have_text("Running")
    await expect(page.get_by_role("progressbar")).to_have_attribute("aria-valuenow", re.compile(r"\d+"))
    await expect(page.locator(".state")).to_have_text("Completed")
    await _has_its_pictures(page)

    again = await open_page(page.url)
    await expect(again.get_by_role("heading", name="a lighthouse in a storm")).to_be_visible()
    await _has_its_pictures(again)
    await expect(again.locator(".frame.cancelled")).to_contain_text("hills after rain")
    await again.screenshot(path=SHOTS / "playground.png", full_page=True, animations="disabled")


async def _has_its_pictures(page: Page) -> None:
    """Both of them, loaded in full, and a waterfall with the workflow's nodes."""
    await expect(page.locator(".prints img")).to_have_count(2)
    for image in await page.locator(".prints img").all():
        await expect(image).to_have_js_property("naturalWidth", 640)
    await expect(page.get_by_role("row", name="Runtime")).to_contain_text(re.compile(r"4\.\d\d s"))
    await expect(page.get_by_role("row", name="Node 3")).to_be_visible()
