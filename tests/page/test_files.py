"""Files that a reader brings: pictures to start from, and workflows, also out of pictures."""

import base64
import json
import re

import pytest
from playwright.async_api import FilePayload, Page, expect

from darkroom_simulator.draw import draw, encode_png

from .conftest import Open
from .fake_api import FakeApi
from .reader import choose, submit

pytestmark = pytest.mark.asyncio(loop_scope="session")

GRAPH = {
    "3": {"class_type": "KSampler", "inputs": {}},
    "9": {"class_type": "SaveImage", "inputs": {"images": ["3", 0]}},
}
# A file as a drop or a paste carries it.
_FILE = """
([name, type, data]) => {
  const all = new DataTransfer();
  all.items.add(new File([Uint8Array.from(atob(data), (c) => c.charCodeAt(0))], name, {type}));
  return all;
}
"""
_FILE_OF_THE_READERS = FilePayload(name="a.png", mimeType="image/png", buffer=b"bytes")
_BLANK = """
([type, size]) => {
  const all = new DataTransfer();
  all.items.add(new File([new Uint8Array(size)], "a", {type}));
  return all;
}
"""
_PASTE = "(element, files) => element.dispatchEvent(new ClipboardEvent('paste', {clipboardData: files, bubbles: true}))"


async def _drop(page: Page, place: str, name: str, kind: str, data: bytes) -> None:
    files = await page.evaluate_handle(_FILE, [name, kind, base64.b64encode(data).decode()])
    await page.locator(place).dispatch_event("drop", {"dataTransfer": files})


async def _paste(page: Page, place: str, data: bytes) -> None:
    files = await page.evaluate_handle(_FILE, ["image.png", "image/png", base64.b64encode(data).decode()])
    await page.locator(place).evaluate(_PASTE, files)


async def test_a_picture_is_uploaded_and_becomes_the_input(visit: Open, api: FakeApi) -> None:
    """Its bytes go to the bucket, its address into the job; the strength appears with it."""
    page = await visit()
    await choose(page, "sd-webui · WebUI")
    await page.get_by_label("Prompt", exact=True).fill("in autumn")
    await expect(page.get_by_role("slider", name="Strength")).to_be_hidden()
    picture = FilePayload(name="a.png", mimeType="image/png", buffer=b"\x89PNG-ish")
    await page.locator(".drop input").set_input_files(picture)
    await expect(page.get_by_role("slider", name="Strength")).to_be_visible()
    await submit(page)
    await expect(page.locator(".state")).to_have_text("Queued")
    assert api.uploads == {"one.png": b"\x89PNG-ish"}
    assert api.submissions[0]["task"] == "image-to-image"
    assert api.submissions[0]["input"]["init_images"] == ["s3://outputs/inputs/one.png"]


async def test_a_file_can_be_dropped(visit: Open, api: FakeApi) -> None:
    """On the place for a picture."""
    page = await visit()
    await choose(page, "Restyle")
    await _drop(page, ".drop", "a.png", "image/png", b"bytes")
    await expect(page.locator(".drop.full")).to_be_visible()
    assert api.uploads == {"one.png": b"bytes"}


async def test_the_editors_export_is_recognised_and_explained(visit: Open, api: FakeApi) -> None:
    """A workflow in API format is sent as it is; the editor's own is not sent at all."""
    page = await visit()
    await choose(page, "sd-comfyui · ComfyUI")
    box = page.get_by_label("Workflow", exact=True)
    await box.fill(json.dumps({"nodes": [], "links": []}))
    await submit(page)
    await expect(box).to_have_accessible_description(re.compile(r"Export \(API\)"))
    assert api.submissions == []
    await box.fill(json.dumps(GRAPH))
    await expect(page.locator(".graph")).to_contain_text("2 nodes, ending in SaveImage")
    await submit(page)
    await expect(page.locator(".state")).to_have_text("Queued")
    assert (api.submissions[0]["task"], api.submissions[0]["input"]) == ("pipeline", GRAPH)


@pytest.mark.parametrize("place", ["body", "textarea"])
async def test_a_picture_can_be_pasted(visit: Open, api: FakeApi, place: str) -> None:
    """Wherever the focus is; text that is pasted stays text."""
    page = await visit()
    await choose(page, "sd-webui · WebUI")
    await expect(page.locator(".drop")).to_be_visible()
    await _paste(page, f"{place} >> nth=0", b"pasted")
    await expect(page.locator(".drop.full")).to_be_visible()
    assert api.uploads == {"one.png": b"pasted"}


async def test_a_form_without_a_place_for_pictures_takes_none(visit: Open, api: FakeApi) -> None:
    """What is pasted there goes nowhere."""
    page = await visit()
    await expect(page.get_by_label("Prompt", exact=True)).to_be_visible()
    await _paste(page, "body", b"pasted")
    assert api.uploads == {}


async def _send(page: Page) -> None:
    await choose(page, "Restyle")
    await page.locator(".drop input").set_input_files(_FILE_OF_THE_READERS)


async def test_a_bucket_that_refuses_is_told(visit: Open, api: FakeApi) -> None:
    """The job is not sent without its picture; another try is a click away."""
    api.bucket_status = 403
    page = await visit()
    await _send(page)
    await expect(page.locator(".drop .mistake")).to_have_text(re.compile("the bucket refused the image"))
    await page.get_by_label("Style").fill("in oil")
    await submit(page)
    await expect(page.locator(".drop input")).to_have_accessible_description(re.compile("refused"))
    assert api.submissions == []
    api.bucket_status = 200
    await page.locator(".drop input").set_input_files(_FILE_OF_THE_READERS)
    await expect(page.locator(".drop.full")).to_be_visible()
    await submit(page)
    await expect(page.locator(".state")).to_have_text("Queued")
    assert api.submissions[0]["params"]["image"] == "s3://outputs/inputs/one.png"


async def test_a_bucket_out_of_reach_is_told(visit: Open, api: FakeApi) -> None:
    """With what is most often the cause."""
    page = await visit()
    await page.route(f"{api.bucket_url}/**", lambda route: route.abort())
    await _send(page)
    await expect(page.locator(".drop .mistake")).to_have_text(re.compile("CORS rules must allow this page"))


async def test_an_api_that_refuses_an_upload_is_told(visit: Open, api: FakeApi) -> None:
    """By its own words."""
    api.input_refusal = (422, {"detail": "pictures of that kind are not taken"})
    page = await visit()
    await _send(page)
    await expect(page.locator(".drop .mistake")).to_have_text(re.compile("of that kind are not taken"))


@pytest.mark.parametrize(
    ("kind", "size", "said"),
    [("text/plain", 5, "Only PNG"), ("image/png", 50_000_001, "50 MB are allowed")],
    ids=["kind", "size"],
)
async def test_what_can_never_be_used_is_not_uploaded(
    visit: Open, api: FakeApi, kind: str, size: int, said: str
) -> None:
    """It is refused in the page, with the reason."""
    page = await visit()
    await choose(page, "Restyle")
    await expect(page.locator(".drop")).to_be_visible()
    file = await page.evaluate_handle(_BLANK, [kind, size])
    await page.locator(".drop").dispatch_event("drop", {"dataTransfer": file})
    await expect(page.locator(".drop .mistake")).to_have_text(re.compile(said))
    assert api.inputs == 0


def _picture(texts: dict[str, str]) -> bytes:
    return encode_png(draw("a lake", 1, 64, 64), texts)


@pytest.mark.parametrize("word", ["lake", "湖"], ids=["tEXt", "iTXt"])
async def test_a_picture_of_comfyuis_brings_its_workflow(visit: Open, api: FakeApi, word: str) -> None:
    """As it is written in it; the editor's own, which stands there, too, is passed over."""
    graph = {**GRAPH, "6": {"class_type": "CLIPTextEncode", "inputs": {"text": word}}}
    picture = _picture({"workflow": '{"nodes": []}', "prompt": json.dumps(graph, ensure_ascii=False)})
    page = await visit()
    await choose(page, "sd-comfyui · ComfyUI")
    await _drop(page, ".graph", "a.png", "image/png", picture)
    await expect(page.locator(".graph")).to_contain_text("3 nodes, ending in SaveImage")
    await submit(page)
    await expect(page.locator(".state")).to_have_text("Queued")
    assert api.submissions[0]["input"] == graph


@pytest.mark.parametrize(
    "data",
    [_picture({"parameters": "a lake"}), b"\x89PNG\r\n\x1a\n" + b"\xff" * 40, b""],
    ids=["WebUI's", "broken", "empty"],
)
async def test_a_picture_without_a_workflow_is_told_to_have_none(visit: Open, data: bytes) -> None:
    """What stood in the box stays."""
    page = await visit()
    await choose(page, "sd-comfyui · ComfyUI")
    box = page.get_by_label("Workflow", exact=True)
    await box.fill(json.dumps(GRAPH))
    await _drop(page, ".graph", "a.png", "image/png", data)
    await expect(page.locator(".graph .help.mistake")).to_have_text(re.compile("no workflow in this picture"))
    await expect(box).to_have_value(json.dumps(GRAPH))


async def test_a_picture_that_was_made_starts_the_next(visit: Open, api: FakeApi) -> None:
    """Without a download; where the form has no place for it, one that has is chosen."""
    api.add("one", "queued")
    api.complete("one")
    page = await visit("#/jobs/one")
    await expect(page.get_by_label("Prompt", exact=True)).to_be_visible()
    await page.get_by_role("button", name="Start from this").click()
    await expect(page.locator(".drop.full img")).to_be_visible()
    await expect(page.get_by_label("Made by")).to_have_value("runtime:sd-webui")
    await page.get_by_label("Prompt", exact=True).fill("in autumn")
    await submit(page)
    await expect(page.locator(".state")).to_have_text("Queued")
    assert api.submissions[0]["input"]["init_images"] == ["s3://outputs/one-0.png"]
