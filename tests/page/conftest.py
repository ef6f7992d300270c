"""A browser for the page's tests, and a page that must have done nothing that it may not when its test ends."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright, expect
from scripts.chromium import NoChromium, chromium

from .fake_api import FakeApi, fake_api

PATIENCE_MS = 20_000  # a bound, for machines that have more to do; what is expected ends the wait
SHOTS = Path(__file__).parents[2] / "out" / "page"
_VIOLATIONS = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) =>
  window.violations.push(`${event.violatedDirective}: ${event.blockedURI}`));
"""

type Open = Callable[..., Awaitable[Page]]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """One Chromium for the session; where there can be none, tests skip, and fail with CI=true."""
    try:
        path = chromium()
    except NoChromium as reason:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(str(reason))
    expect.set_options(timeout=PATIENCE_MS)
    async with async_playwright() as playwright:
        # As root, which containers are, Chromium refuses to run in its sandbox.
        running = await playwright.chromium.launch(executable_path=path, chromium_sandbox=os.geteuid() != 0)
        yield running
        await running.close()


@pytest_asyncio.fixture(loop_scope="session")
async def api() -> AsyncIterator[FakeApi]:
    """A fake API of this test's own."""
    async with fake_api() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def open_page(browser: Browser) -> AsyncIterator[Open]:
    """Opens an address; at the end no error may have happened and no policy been violated."""
    faults: list[str] = []
    pages: list[Page] = []

    async def go(address: str, **options: object) -> Page:
        settings = {"viewport": {"width": 1440, "height": 1000}, "color_scheme": "dark", **options}
        context = await browser.new_context(**settings)  # type: ignore[arg-type]
        context.set_default_timeout(PATIENCE_MS)
        await context.add_init_script(_VIOLATIONS)
        page = await context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda message: faults.extend(_fault(message)))
        pages.append(page)
        await page.goto(address)
        return page

    yield go
    for page in pages:
        faults += await page.evaluate("window.violations")
        await page.context.close()
    assert faults == []


@pytest.fixture
def visit(open_page: Open, api: FakeApi) -> Open:
    """Opens the page of the fake API, at a fragment."""
    return lambda fragment="", **options: open_page(api.url + fragment, **options)


def _fault(message: ConsoleMessage) -> list[str]:
    """Errors of the console; that a request was refused is no fault of the page's."""
    return [message.text] if message.type == "error" and not message.text.startswith("Failed to load resource") else []
