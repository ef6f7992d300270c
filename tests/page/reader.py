"""What a reader of the page does again and again."""

from playwright.async_api import Page


async def choose(page: Page, title: str) -> None:
    """Choose what makes the picture."""
    await page.get_by_label("Made by").select_option(label=title)


async def submit(page: Page) -> None:
    """Press the button."""
    await page.get_by_role("button", name="Make the picture").click()
