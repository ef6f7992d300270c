"""Where webhooks may be sent: one rule for the API, which refuses a URL, and for the sender, which follows it."""

from collections.abc import Callable, Mapping
from ipaddress import ip_network

from darkroom_agent.guard import FetchPolicy, Refused, check_url
from darkroom_contract.decode import ContractError
from darkroom_contract.job import Webhook

VARIABLES = {
    "WEBHOOK_ALLOWED_NETWORKS": "Networks (CIDR, with commas between them) that webhooks may lead to though they are "
    "not public.",
    "WEBHOOK_ALLOWED_PORTS": "Ports, with commas between them, that webhooks may lead to beside 80, 443, 8080, 8443.",
}
"""The variables that both Lambdas read, for the reference."""


def policy_of(environ: Mapping[str, str], mistakes: list[str]) -> FetchPolicy:
    """Read the policy; what is wrong with the variables is added to `mistakes`."""

    def several[T](name: str, read: Callable[[str], T]) -> tuple[T, ...]:
        try:
            return tuple(read(one) for one in environ.get(name, "").replace(",", " ").split())
        except ValueError as error:
            mistakes.append(f"{name}: {error}")
            return ()

    return FetchPolicy(
        networks=several("WEBHOOK_ALLOWED_NETWORKS", ip_network),
        ports=frozenset(several("WEBHOOK_ALLOWED_PORTS", _port)),
    )


def check_webhook(webhook: Webhook | None, policy: FetchPolicy) -> None:
    """Refuse a URL that could never be called. Names are looked up when it is called: they may lead elsewhere by then.

    Raises:
        ContractError: with the guard's reason, and without the URL, which may hold a secret.
    """
    if webhook is None:
        return
    try:
        check_url(webhook.url, policy)
    except Refused as refusal:
        raise ContractError(
            "$.webhook.url", "a URL that webhooks may be sent to", f"one that is refused: {refusal}"
        ) from refusal


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 65_535):
        raise ValueError(f"{text!r} is no port")
    return int(text)
