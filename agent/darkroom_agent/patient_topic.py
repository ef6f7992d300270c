"""The results topic, whose outages are waited out."""

import asyncio

from darkroom_contract.notification import Notification

from .breaker import Breaker
from .patience import Patience
from .ports import Topic


class PatientTopic:
    """The results topic behind its breaker."""

    def __init__(self, topic: Topic, breaker: Breaker, leaving: asyncio.Event) -> None:
        """`leaving` is set when the agent leaves."""
        self._topic = topic
        self._breaker = breaker
        self._patience = Patience(breaker, leaving)

    async def publish(self, notification: Notification, tenant: str | None, *, webhook: bool) -> None:
        """Tell a final state to whoever listens."""
        await self._patience.call(lambda: self._topic.publish(notification, tenant, webhook=webhook))
        self._breaker.worked()

    async def probe(self) -> None:
        """Whether the topic takes notifications now."""
        await self._topic.probe()
