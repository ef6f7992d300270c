"""The paths beside AWS's own: faults to set, calls to count, and the state to see."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from .faults import KINDS, Fault, Faults
from .state import state_of
from .wire import Answer, Call

if TYPE_CHECKING:
    from .server import Standin

_JSON = {"Content-Type": "application/json"}
START = "/_"
"""No bucket's name begins so."""


class Order(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What POST /_faults takes. With a seed the present faults end, and the order of chance begins anew."""

    faults: tuple[Fault, ...] = ()
    seed: int | None = None


def control(standin: "Standin", call: Call) -> Answer:
    """Answer one of: GET, POST and DELETE /_faults; GET and DELETE /_calls; GET /_state."""
    found = _PATHS.get((call.method, call.path))
    return found(standin, call) if found else _told({"error": f"no {call.method} {call.path}"}, 404)


def _add(faults: Faults, body: bytes) -> Answer:
    try:
        order = msgspec.json.decode(body, type=Order)
    except msgspec.DecodeError as error:
        return _told({"error": str(error)}, 400)
    if order.seed is not None:
        faults.clear(order.seed)
    faults.add(*order.faults)
    return _told(_active(faults))


def _active(faults: Faults) -> dict[str, Any]:
    return {
        "seed": faults.seed,
        "active": [
            {"fault": msgspec.to_builtins(one.fault), "seen": one.seen, "struck": one.struck} for one in faults.active
        ],
    }


def _told(value: Any, status: int = 200) -> Answer:
    return Answer(status, msgspec.json.encode(value), _JSON)


def _clear(values: Any) -> Answer:
    values.clear()
    return _told({})


_PATHS: dict[tuple[str, str], Callable[["Standin", Call], Answer]] = {
    ("GET", "/_faults"): lambda standin, _: _told({"kinds": KINDS, **_active(standin.faults)}),
    ("POST", "/_faults"): lambda standin, call: _add(standin.faults, call.body),
    ("DELETE", "/_faults"): lambda standin, _: _clear(standin.faults),
    ("GET", "/_calls"): lambda standin, _: _told(standin.calls),
    ("DELETE", "/_calls"): lambda standin, _: _clear(standin.calls),
    ("GET", "/_state"): lambda standin, _: _told(state_of(standin.sqs, standin.sns, standin.s3)),
}
