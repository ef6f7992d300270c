"""The playground as its users have it: in a browser, with a mouse, with a keyboard alone, and with a screen reader."""

import re

import pytest
from playwright.async_api import FilePayload, expect

from .conftest import SHOTS, Open
from .fake_api import FakeApi
from .reader import choose, submit

pytestmark = pytest.mark.asyncio(loop_scope="session")

_SEEN = """
(seen) => {
  Object.defineProperty(document, "hidden", {value: !seen, configurable: true});
  document.dispatchEvent(new Event("visibilitychange"));
}
"""


async def test_a_form_is_made_from_a_workflows_parameters(visit: Open, api: FakeApi) -> None:
    """Text, choices, sliders and a seed; what is not touched goes as its default, and no seed where none was named."""
    page = await visit()
    await page.get_by_label("Prompt", exact=True).fill("an old sailor")
    await page.get_by_role("group", name="Width").get_by_text("768").click()
    await page.get_by_role("slider", name="Steps").press("ArrowRight")
    await submit(page)
    await expect(page.locator(".state")).to_have_text("Queued")
    [sent] = api.submissions
    assert sent["workflow"] == "portrait"
    assert sent["params"] == {
        "prompt": "an old sailor",
        "negative": "blurry, deformed",
        "width": 768,
        "height": 640,
        "steps": 21,
        "guidance": 7,
    }


async def test_from_submission_to_picture(visit: Open, api: FakeApi) -> None:
    """Queue and estimate, progress, then the picture, told to screen readers, with where the time went."""
    page = await visit()
    await page.get_by_label("Prompt", exact=True).fill("a lake at dawn")
    await submit(page)
    await expect(page.locator(".paper .figure")).to_have_text("about 24 s")
    await expect(page.locator(".paper .caption")).to_have_text("3 in the queue, 1 in work")
    api.jobs["job-1"] |= {"state": "running", "progress": 0.4}
    await expect(page.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "40")
    await page.screenshot(path=SHOTS / "running.png")
    api.complete("job-1", pictures=2)
    await expect(page.locator(".prints img")).to_have_count(2)
    await expect(page.locator("#live")).to_have_text(re.compile("Completed: 2 files"))
    await expect(page.get_by_role("row", name="Runtime")).to_contain_text("3.10 s")
    assert page.url.endswith("#/jobs/job-1")


async def test_mistakes_are_shown_at_their_fields(visit: Open, api: FakeApi) -> None:
    """By the problem document's pointers; the field gets the focus, and what has no field is shown all the same."""
    api.refusal = (
        422,
        {
            "detail": "two mistakes",
            "errors": [
                {"detail": "expected one of 20", "pointer": "#/params/steps"},
                {"detail": "no such thing", "pointer": "#/webhook/url"},
            ],
        },
    )
    page = await visit()
    await page.get_by_label("Prompt", exact=True).fill("x")
    await submit(page)
    steps = page.get_by_role("slider", name="Steps")
    await expect(steps).to_have_attribute("aria-invalid", "true")
    await expect(steps).to_be_focused()
    await expect(steps).to_have_accessible_description(re.compile("expected one of 20"))
    await expect(page.locator(".bench .alert")).to_have_text("#/webhook/url: no such thing")
    await page.screenshot(path=SHOTS / "mistakes.png")


async def test_what_is_needed_is_asked_for_before_anything_is_sent(visit: Open, api: FakeApi) -> None:
    """An empty prompt never reaches the API."""
    page = await visit()
    await submit(page)
    prompt = page.get_by_label("Prompt", exact=True)
    await expect(prompt).to_be_focused()
    await expect(prompt).to_have_attribute("aria-invalid", "true")
    assert api.submissions == []


async def test_an_openai_runtime_gets_its_own_fields(visit: Open, api: FakeApi) -> None:
    """A picture to begin with makes an edit of it."""
    page = await visit()
    await choose(page, "flux · OpenAI images")
    await page.get_by_label("Prompt", exact=True).fill("in fog")
    await page.locator(".drop input").set_input_files(FilePayload(name="a.png", mimeType="image/png", buffer=b"PNG"))
    await expect(page.locator(".drop.full")).to_be_visible()
    await submit(page)
    await expect(page.locator(".state")).to_have_text("Queued")
    asked = {"prompt": "in fog", "image": "s3://outputs/inputs/one.png", "size": "1024x1024", "n": 1}
    assert (api.submissions[0]["task"], api.submissions[0]["input"]) == ("image-to-image", asked)


async def test_a_job_is_cancelled(visit: Open, api: FakeApi) -> None:
    """And the focus is not lost with the button."""
    api.add("one", "queued")
    page = await visit("#/jobs/one")
    await page.get_by_role("button", name="Cancel").click()
    await expect(page.locator(".state")).to_have_text("Cancelled")
    await expect(page.get_by_role("heading", name="a lake at dawn")).to_be_focused()
    assert api.jobs["one"]["state"] == "cancelled"


async def test_a_failure_tells_its_reason(visit: Open, api: FakeApi) -> None:
    """With its code, and whether another try may help."""
    error = {"code": "out-of-memory", "message": "CUDA out of memory", "retryable": True}
    api.add("one", "failed", error=error, timings={"queued": 1.0, "runtime": 2.0})
    page = await visit("#/jobs/one")
    await expect(page.locator(".paper")).to_contain_text("CUDA out of memory")
    await expect(page.locator(".paper")).to_contain_text("out-of-memory")
    await page.screenshot(path=SHOTS / "failed.png")


async def test_the_contact_sheet_loads_more_as_one_scrolls(visit: Open, api: FakeApi) -> None:
    """By the cursor, and no job twice."""
    for number in range(60):
        api.add(f"job-{number:02}", "failed")
    page = await visit(viewport={"width": 900, "height": 500})
    await expect(page.locator(".frame")).to_have_count(24)
    await page.mouse.wheel(0, 10_000)
    await expect(page.locator(".frame")).to_have_count(48)
    await page.mouse.wheel(0, 10_000)
    await expect(page.locator(".frame")).to_have_count(60)
    await expect(page.get_by_role("button", name="Older")).to_be_hidden()
    assert [query.get("cursor") for query in api.lists] == [None, "24", "48"]


async def test_the_contact_sheet_can_show_one_state(visit: Open, api: FakeApi) -> None:
    """The API filters, not the page."""
    api.add("good", "queued")
    api.complete("good")
    api.add("bad", "failed")
    page = await visit()
    await expect(page.locator(".frame")).to_have_count(2)
    await page.get_by_label("Show jobs that are").select_option("failed")
    await expect(page.locator(".frame")).to_have_count(1)
    assert api.lists[-1]["state"] == "failed"


async def test_a_permalink_shows_its_job(visit: Open, api: FakeApi) -> None:
    """From the address alone; its settings can be used again; an unknown one is said to be unknown."""
    api.add("one", "queued", prompt="hills after rain")
    api.complete("one")
    page = await visit("#/jobs/one")
    await expect(page.get_by_role("heading", name="hills after rain")).to_be_visible()
    await page.screenshot(path=SHOTS / "permalink.png")
    await page.get_by_role("button", name="Use these settings again").click()
    await expect(page.get_by_label("Prompt", exact=True)).to_have_value("hills after rain")
    await expect(page.get_by_label("Made by")).to_have_value("runtime:sd-webui")
    await expect(page.get_by_label("Width")).to_have_value("640")
    await page.evaluate("location.hash = '#/jobs/none'")
    await expect(page.locator(".paper")).to_contain_text("There is no such job")


async def test_films_and_sounds_are_shown_as_such(visit: Open, api: FakeApi) -> None:
    """And an address that is no web address is not used at all."""
    api.add("one", "queued")
    api.complete("one", pictures=4)
    for artifact, kind in zip(
        api.jobs["one"]["artifacts"], ("video/mp4", "audio/flac", "model/gltf-binary"), strict=False
    ):
        artifact["content_type"] = kind
    api.jobs["one"]["artifacts"][3]["download_url"] = "javascript:alert(1)"
    page = await visit("#/jobs/one")
    await expect(page.locator("video")).to_be_visible()
    await expect(page.locator("audio")).to_be_visible()
    await expect(page.get_by_text("A file of type model/gltf-binary")).to_be_visible()
    await expect(page.get_by_text("no address that can be opened")).to_be_visible()
    assert await page.locator("[src^='javascript'], [href^='javascript']").count() == 0


async def test_text_of_strangers_stays_text(visit: Open, api: FakeApi) -> None:
    """A prompt that is markup is shown as it was written."""
    api.add(
        "one",
        "failed",
        prompt="<img src=x onerror=alert(1)>",
        error={"code": "x", "message": "<b>y</b>", "retryable": False},
    )
    page = await visit("#/jobs/one")
    await expect(page.get_by_role("heading", name="<img src=x onerror=alert(1)>")).to_be_visible()
    await expect(page.locator(".paper")).to_contain_text("<b>y</b>")


async def test_a_key_is_asked_for_once_and_kept_in_the_tab(visit: Open, api: FakeApi) -> None:
    """Whatever was refused for want of it goes on with it."""
    api.key = "opensesame"
    page = await visit()
    dialog = page.get_by_role("dialog", name="API key")
    await dialog.get_by_label("Key").fill("opensesame")
    await dialog.get_by_role("button", name="Use it").click()
    await expect(dialog).to_have_count(0)
    await expect(page.get_by_label("Prompt", exact=True)).to_be_visible()
    assert await page.evaluate("[sessionStorage.length, localStorage.length]") == [1, 0]


async def test_the_keyboard_alone_is_enough(visit: Open, api: FakeApi) -> None:
    """Skip link, form, submission, and a closer look at the picture and back."""
    page = await visit()
    await expect(page.get_by_label("Prompt", exact=True)).to_be_visible()
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Skip to the picture")).to_be_focused()
    for _ in range(10):
        await page.keyboard.press("Tab")
        if await page.evaluate("document.activeElement.tagName") == "TEXTAREA":
            break
    await page.keyboard.type("by hand")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator(".state")).to_have_text("Queued")
    api.complete("job-1", pictures=2)
    look = page.get_by_role("button", name="Look closer: by hand, 1 of 2")
    await look.press("Enter")
    dialog = page.get_by_role("dialog", name="Picture")
    await page.keyboard.press("ArrowRight")
    await expect(dialog.get_by_role("img", name="by hand, 2 of 2")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(look).to_be_focused()


async def test_dark_and_light(visit: Open) -> None:
    """As the system says, until the reader chooses; the choice is kept."""
    page = await visit(color_scheme="light")
    scheme = "getComputedStyle(document.documentElement).colorScheme"
    assert await page.evaluate(scheme) == "light"
    await page.get_by_role("button", name="Light").click()
    assert await page.evaluate(scheme) == "dark"
    await page.reload()
    assert await page.evaluate(scheme) == "dark"


async def test_an_api_that_is_away_is_waited_for(visit: Open, api: FakeApi) -> None:
    """A job that is looked at goes on being looked at."""
    api.add("one", "queued")
    page = await visit("#/jobs/one")
    await expect(page.locator(".state")).to_have_text("Queued")
    await page.route("**/v1/jobs/one", lambda route: route.abort())
    await expect(page.locator(".trouble")).to_contain_text("cannot be reached; trying again")
    await page.unroute("**/v1/jobs/one")
    api.complete("one")
    await expect(page.locator(".prints img")).to_be_visible()


async def test_a_page_that_nobody_sees_asks_for_nothing(visit: Open, api: FakeApi) -> None:
    """Neither of its job nor of the others nor of the queues; when it is seen again it looks at once."""
    api.add("one", "running", progress=0.1)
    page = await visit("#/jobs/one")
    await page.clock.install()
    await page.reload()
    await expect(page.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "10")
    await page.evaluate(_SEEN, False)
    await page.clock.run_for(6_000)  # timers that were set before end, and find the page hidden
    asked = (api.looks, len(api.lists), api.counts)
    await page.clock.run_for(600_000)
    assert (api.looks, len(api.lists), api.counts) == asked
    api.complete("one")
    await page.evaluate(_SEEN, True)
    await expect(page.locator(".prints img")).to_be_visible()
