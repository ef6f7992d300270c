"""The scheduled sweep: messages that a crash or an outage left in the outbox are published after all."""

from datetime import datetime, timedelta

import msgspec
import structlog

from darkroom_contract.document import OUTBOX_PREFIX

from .outbox import Outbound, Topic, deliver
from .store import Store

log = structlog.get_logger()

SETTLED = timedelta(seconds=60)
"""A request is over after 29 s (API Gateway): what is older in the outbox is nobody's work any more."""


def sweep(store: Store, topic: Topic, at: datetime) -> int:
    """Deliver what is older than a minute; how many messages were published.

    Raises:
        Problem: S3 or SNS failed; the next sweep goes on where this one ended.
    """
    published = 0
    for key in store.keys_before(OUTBOX_PREFIX, at - SETTLED):
        found = store.read(key)
        if found is None:
            continue
        outbound = msgspec.json.decode(found.value, type=Outbound)
        if deliver(outbound, store, topic):
            published += 1
            log.warning("job sent by the sweep", job_id=outbound.id, runtime=outbound.runtime)
    return published
