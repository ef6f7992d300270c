"""The front door's parts: what every endpoint is handed."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

from darkroom_contract.job import now

from .outbox import Topic
from .queues import Queues
from .segments import Segments
from .settings import Settings
from .store import Store
from .workflows import Workflows


@dataclass(frozen=True, slots=True)
class Door:
    """Settings, the edges, and a pool for reads that may go side by side."""

    settings: Settings
    store: Store
    topic: Topic
    queues: Queues
    workflows: Workflows
    segments: Segments
    pool: ThreadPoolExecutor
    clock: Callable[[], datetime] = now
