"""What trace headers say, whoever wrote them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom_contract.trace import TraceContext, of_traceparent, of_xray

TRACE, SPAN = "5759e988bd862e3fe1be46a994272793", "53995c3f42cd8ad8"


def test_both_headers_name_the_same_place() -> None:
    """W3C's and X-Ray's are two spellings."""
    place = TraceContext(trace_id=TRACE, span_id=SPAN, sampled=True)
    assert of_traceparent(f"00-{TRACE}-{SPAN}-01") == place
    assert of_xray(f"Root=1-5759e988-bd862e3fe1be46a994272793;Parent={SPAN};Sampled=1") == place
    assert of_xray(place.xray_header) == place
    assert place.xray_id == "1-5759e988-bd862e3fe1be46a994272793"


@pytest.mark.parametrize(
    ("header", "sampled", "span"),
    [
        ("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0", False, SPAN),
        ("Sampled=1; Root=1-5759E988-BD862E3FE1BE46A994272793 ;Lineage=1:a87bd80c:0", True, None),
        ("Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=?", True, None),
        ("Self=1-0-1;Root=1-5759e988-bd862e3fe1be46a994272793;Parent=zz;Sampled=1", True, None),
    ],
)
def test_x_rays_header_comes_in_many_forms(header: str, sampled: bool, span: str | None) -> None:
    """Any order, fields of others, no parent; sampling is left to us unless it says no."""
    assert of_xray(header) == TraceContext(trace_id=TRACE, span_id=span, sampled=sampled)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "x",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"ff-{TRACE}-{SPAN}-01",
        "Root=1-00000000-000000000000000000000000",
    ],
)
def test_what_is_no_header_names_no_place(header: str) -> None:
    """Nothing is guessed."""
    assert of_traceparent(header) is None
    assert of_xray(header) is None


def test_a_later_version_of_traceparent_is_read_by_its_beginning() -> None:
    """As W3C wants it; its flags may have more bits than the one that counts."""
    assert of_traceparent(f"01-{TRACE}-{SPAN}-02-later") == TraceContext(trace_id=TRACE, span_id=SPAN, sampled=False)


@given(st.text(max_size=2000))
def test_no_text_is_too_wild(text: str) -> None:
    """A caller's header is hostile until it is read."""
    for read in (of_traceparent, of_xray):
        place = read(text)
        assert place is None or of_xray(place.xray_header) == place
