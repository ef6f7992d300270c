"""Notifications to the results topic in SNS."""

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from darkroom_contract.notification import Notification, encode_notification
from darkroom_contract.trace import XRAY_HEADER

from .aws import aws_call, code_of
from .traces import here

if TYPE_CHECKING:
    from types_aiobotocore_sns import SNSClient


class SnsTopic:
    """The results topic."""

    def __init__(self, client: "SNSClient", arn: str) -> None:
        self._client = client
        self._arn = arn
        client.meta.events.register("before-call.sns.Publish", _carry)

    async def publish(self, notification: Notification, tenant: str | None, *, webhook: bool) -> None:
        """Tell a final state to whoever listens; its attributes are for subscribers' filters.

        Its group is the tenant: in the queues of subscribers, as in our own, one tenant's flood delays no other's.
        """
        attributes = {
            "runtime": notification.runtime,
            "status": notification.status.value,
            "tenant": tenant,
            "webhook": "true" if webhook else None,
        }
        group: Any = {"MessageGroupId": tenant} if tenant else {}
        with aws_call("SNS Publish"):
            await self._client.publish(
                TopicArn=self._arn,
                Message=encode_notification(notification),
                MessageAttributes={
                    name: {"DataType": "String", "StringValue": value} for name, value in attributes.items() if value
                },
                **group,
            )

    async def probe(self) -> None:
        """Publish nothing, as jobs do it: where the topic works, an empty message is what is wrong with it.

        SNS answers `InvalidParameter` then (API reference: Publish, "Messages must be UTF-8 encoded strings").

        Raises:
            ServiceUnavailable: the topic cannot be reached, does not exist, or does not let us.
        """
        with aws_call("SNS Publish"):
            try:
                await self._client.publish(TopicArn=self._arn, Message="")
            except ClientError as error:
                if code_of(error) != "InvalidParameter":
                    raise


def _carry(params: dict[str, Any], **_: Any) -> None:
    """Send the trace along: SNS gives the header on to the queues, and to the webhooks' with them."""
    if (place := here()) is not None:
        params["headers"][XRAY_HEADER] = place.xray_header
