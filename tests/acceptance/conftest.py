"""The browser of the page's tests, for the page against the real flow."""

from tests.page.conftest import browser, open_page

__all__ = ["browser", "open_page"]
