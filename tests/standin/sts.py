"""STS, as far as asking who one is."""

import uuid

from . import query
from .wire import ACCOUNT, Answer, Call, Refusal, Subject

_NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"
ACTION = "GetCallerIdentity"


class Sts:
    """Everybody is the same user."""

    def subject(self, call: Call) -> Subject:
        """The one operation."""
        return Subject("sts", ACTION)

    async def answer(self, call: Call, subject: Subject, *, twice: bool) -> Answer:
        """Say who the caller is."""
        identity = {"Arn": f"arn:aws:iam::{ACCOUNT}:root", "UserId": "AIDASTANDIN", "Account": ACCOUNT}
        return query.answered(ACTION, _NAMESPACE, str(uuid.uuid4()), identity)

    def refuse(self, refusal: Refusal, call: Call) -> Answer:
        """Write an error."""
        return query.refused(refusal, _NAMESPACE, str(uuid.uuid4()))
