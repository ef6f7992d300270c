"""What auditors see: every queue, topic and object as plain values."""

import hashlib
from typing import Any

from .s3 import S3
from .sns import Sns
from .sqs import Listed, Sqs


def state_of(sqs: Sqs, sns: Sns, s3: S3) -> dict[str, Any]:
    """All of it. Times are epoch seconds."""
    return {
        "queues": {name: _queue(listed) for name, listed in sqs.queues.items()},
        "topics": {
            arn.rsplit(":", 1)[-1]: {
                "subscriptions": [
                    {"arn": one.arn, "endpoint": one.endpoint, "attributes": one.attributes}
                    for one in topic.subscriptions
                ],
                "published": [
                    {
                        "id": one.id,
                        "message": one.message,
                        "attributes": {name: value.string_value for name, value in one.attributes.items()},
                        "group": one.group,
                        "at": one.at,
                    }
                    for one in topic.published
                ],
            }
            for arn, topic in sns.topics.items()
        },
        "buckets": {
            name: {
                key: {
                    "bytes": len(one.data),
                    "sha256": hashlib.sha256(one.data).hexdigest(),
                    "etag": one.etag,
                    "content_type": one.headers["Content-Type"],
                    "modified": one.modified,
                }
                for key, one in bucket.objects.items()
            }
            for name, bucket in s3.buckets.items()
        },
    }


def _queue(listed: Listed) -> dict[str, Any]:
    """A queue's messages, and how many were ever sent, received, deleted, buried and expired."""
    queue = listed.queue
    return {
        "counts": dict(queue.counts),
        "messages": [
            {
                "id": one.id,
                "body": one.body,
                "state": queue.state_of(one),
                "receives": one.receives,
                "sent_at": one.sent_at,
                "group": one.group,
                "trace_header": one.system.get("AWSTraceHeader"),
                "source_arn": one.source_arn,
            }
            for one in queue.messages.values()
        ],
    }
