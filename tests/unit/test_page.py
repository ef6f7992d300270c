"""The playground's files and their headers."""

from darkroom_api.page import content_security_policy, page_file


def test_the_page_is_at_the_root() -> None:
    """With its policy, its type and an ETag of its content."""
    page = page_file("/", ["https://outputs.s3.amazonaws.com"])
    assert page is not None
    assert page.content_type == "text/html; charset=utf-8"
    assert page.headers["ETag"] == page.etag
    assert "connect-src 'self' https://outputs.s3.amazonaws.com;" in page.headers["Content-Security-Policy"]


def test_what_the_page_names_is_there() -> None:
    """Every asset, with a type of its own."""
    types = {name: page_file(f"/assets/{name}") for name in ("app.js", "base.css", "lamp.svg")}
    assert [file and file.content_type for file in types.values()] == [
        "text/javascript; charset=utf-8",
        "text/css; charset=utf-8",
        "image/svg+xml",
    ]


def test_nothing_else_is() -> None:
    """No path leads out of the folder, and the page has one address."""
    for path in ("", "/assets/", "/assets/../page.py", "/assets/index.html", "/app.js", "/index.html", "assets/app.js"):
        assert page_file(path) is None, path


def test_the_policy_allows_nothing_inline() -> None:
    """No inline script or style, no frame, and no text that becomes markup."""
    policy = content_security_policy([])
    assert "unsafe" not in policy
    for rule in ("default-src 'none'", "frame-ancestors 'none'", "require-trusted-types-for 'script'"):
        assert rule in policy
