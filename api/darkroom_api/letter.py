"""From a notification to the letter that its job's caller is sent: everything but the sending."""

from dataclasses import dataclass
from urllib.parse import urlsplit

import msgspec

from darkroom_contract.document import document_key
from darkroom_contract.notification import Notification
from darkroom_contract.webhook import event_id, event_of

from .problems import Problem
from .signing_secrets import NoSecret, SigningSecrets
from .store import Store
from .verdict import Dropped, Failed


@dataclass(frozen=True, slots=True)
class Letter:
    """What goes where, and the secrets that sign it. `id` is the same however often it is sent."""

    id: str
    url: str
    body: bytes
    secrets: tuple[bytes, ...]

    @property
    def host(self) -> str | None:
        """All of the URL that may stand in a log: for many receivers the rest of it is a secret."""
        try:
            return urlsplit(self.url).hostname
        except ValueError:
            return None


def write(notification: Notification, store: Store, secrets: SigningSecrets) -> Letter | Dropped | Failed:
    """The letter, made of the job document: a notification may have been shortened, and anyone may forge one."""
    if notification.output_url != f"s3://{store.bucket}/{document_key(notification.id)}":
        return Dropped("the notification names a document that is not its job's")
    try:
        stored = store.document(notification.id)
        if stored is None:
            return Dropped("there is no such job document")
        document = stored.value
        if not document.state.final or document.webhook is None or not document.wants_webhook:
            return Dropped(f"the job names no webhook for the state {document.state.value}")
        event = event_of(document, notification.output_url, store.download_url)
        return Letter(event_id(document), document.webhook.url, msgspec.json.encode(event), secrets.of(document.tenant))
    except NoSecret as missing:
        return Failed(str(missing))
    except Problem as problem:
        return Failed(problem.document.detail)
