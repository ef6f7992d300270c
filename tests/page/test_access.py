"""Everybody can use the page: names, contrast, small screens, in dark and in light."""

import pytest
from playwright.async_api import Page, expect

from .conftest import SHOTS, Open
from .fake_api import FakeApi

pytestmark = pytest.mark.asyncio(loop_scope="session")

# Text whose contrast to what lies behind it is too low (WCAG 2.2, 1.4.3): 4.5, or 3 for large text. Text on pictures
# and gradients cannot be computed so, and is left to the eye.
_LOW_CONTRAST = """
() => {
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = (c) => c.slice(0, 3).map((v) => v / 255)
    .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const colour = rgba(getComputedStyle(e).backgroundColor);
      if (colour[3] > 250) return colour;
    }
    return rgba(getComputedStyle(document.documentElement).backgroundColor);
  };
  const low = [];
  for (const e of document.querySelectorAll("body *")) {
    if (!e.checkVisibility() || e.closest(".paper, .no-print, .window, .hidden, option")) continue;
    if (![...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim())) continue;
    const style = getComputedStyle(e);
    const [a, b] = [light(rgba(style.color)), light(behind(e))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < (parseFloat(style.fontSize) >= 24 ? 3 : 4.5)) low.push(`${e.textContent}: ${ratio}`);
  }
  return low;
}
"""
_NAMELESS = """
() => [...document.querySelectorAll("button, a[href], input, select, textarea, video, audio, [role=progressbar]")]
  .filter((e) => e.checkVisibility())
  .filter((e) => !(e.getAttribute("aria-label") || e.getAttribute("aria-labelledby") || e.textContent.trim()
    || [...(e.labels ?? [])].some((label) => label.textContent.trim())))
  .map((e) => e.outerHTML)
"""


async def _full(api: FakeApi, visit: Open, **options: object) -> Page:
    prompts = ["a lighthouse in a storm", "hills after rain", "an old sailor", "red sun over the dunes"]
    for number in range(12):
        api.add(f"job-{number:02}", "queued", prompts[number % 4])
        api.complete(f"job-{number:02}", size=(768, 512), seed=7 * number)
    api.add("bad", "failed", error={"code": "x", "message": "y", "retryable": False})
    api.add("now", "running", progress=0.4)
    api.jobs["job-11"]["timings"]["nodes"] = {"3": 2.2, "4": 0.5}
    page = await visit("#/jobs/job-11", **options)
    await expect(page.locator(".prints img")).to_be_visible()
    await expect(page.get_by_label("Prompt", exact=True)).to_be_visible()
    await expect(page.locator(".frame")).to_have_count(14)
    return page


# Choices whose words are wider than their place.
_OVERFULL = "() => [...document.querySelectorAll('.pills')].filter((e) => e.scrollWidth > e.clientWidth).length"


@pytest.mark.parametrize("scheme", ["dark", "light"])
async def test_text_can_be_read_and_controls_have_names(visit: Open, api: FakeApi, scheme: str) -> None:
    """In both schemes, with every kind of field."""
    page = await _full(api, visit, color_scheme=scheme)
    await page.screenshot(path=SHOTS / f"{scheme}.png")
    titles = await page.locator("select.big option").all_text_contents()
    for title in titles:
        await page.get_by_label("Made by").select_option(label=title)
        await page.locator(".more summary").click()
        assert await page.evaluate(_LOW_CONTRAST) == []
        assert await page.evaluate(_NAMELESS) == []
        assert await page.evaluate(_OVERFULL) == 0
    assert len(titles) == 6


async def test_a_phone_needs_no_sideways_scrolling(visit: Open, api: FakeApi) -> None:
    """At 320 pixels, the narrowest that WCAG asks for (1.4.10)."""
    page = await _full(api, visit, viewport={"width": 320, "height": 700})
    await page.get_by_label("Made by").select_option(label="Landscape")
    await expect(page.get_by_role("group", name="Sampler")).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth") == 320
    assert await page.evaluate(_OVERFULL) == 0
    await page.screenshot(path=SHOTS / "mobile.png", full_page=True)


async def test_motion_can_be_turned_off(visit: Open, api: FakeApi) -> None:
    """Nothing moves for who asked for that."""
    api.add("one", "queued")
    page = await visit("#/jobs/one", reduced_motion="reduce")
    await expect(page.locator(".state")).to_have_text("Queued")
    assert await page.evaluate("document.getAnimations().length") == 0


async def test_focus_can_be_seen(visit: Open) -> None:
    """On every control that the keyboard reaches."""
    page = await visit()
    await expect(page.get_by_label("Prompt", exact=True)).to_be_visible()
    for _ in range(18):
        await page.keyboard.press("Tab")
        seen = await page.evaluate(
            "() => { const e = document.activeElement; const of = (x) => x && getComputedStyle(x).outlineStyle;"
            " return [of(e), of(e.nextElementSibling)].includes('solid') || e === document.body"
            " || e.closest('.drop') !== null || e.outerHTML; }"
        )
        assert seen is True
