"""CORS: which other sites' pages may call the API (Fetch standard, "CORS protocol")."""

from dataclasses import replace

from .http import Answer

_ALLOWED = {
    "Access-Control-Allow-Methods": "GET, POST, DELETE, OPTIONS",
    "Access-Control-Allow-Headers": "Content-Type, X-Api-Key, Idempotency-Key, Prefer, Authorization, traceparent",
    "Access-Control-Expose-Headers": "Location, Retry-After",
    "Access-Control-Max-Age": "600",
}


def with_cors(answer: Answer, origin: str | None, allowed: tuple[str, ...]) -> Answer:
    """The answer, with leave for the caller's site if it has it. Keys travel in a header: no cookies."""
    if origin is None or not (origin in allowed or "*" in allowed):
        return answer
    return replace(
        answer, headers={**answer.headers, **_ALLOWED, "Access-Control-Allow-Origin": origin, "Vary": "Origin"}
    )
