"""Named workflows in the models bucket: `workflows/<name>.json`, read when they are asked for and kept for a while."""

import re
import time

import structlog

from darkroom_contract.api import WorkflowSummary, WorkflowView
from darkroom_contract.decode import ContractError, parse, show
from darkroom_contract.workflow import Workflow, decode_workflow, schema_of

from .store import Store

log = structlog.get_logger()

PREFIX = "workflows/"
_FRESH_SECONDS = 30.0
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


class Workflows:
    """The named workflows."""

    def __init__(self, models: Store) -> None:
        self._models = models
        self._known: dict[str, tuple[float, Workflow]] = {}

    def named(self, name: str) -> Workflow:
        """A workflow, to run it.

        Raises:
            ContractError: there is none of that name, told as a mistake in the request's `workflow`.
        """
        found = self.find(name)
        if found is None:
            raise ContractError("$.workflow", "the name of a named workflow (GET /v1/workflows lists them)", show(name))
        return found

    def find(self, name: str) -> Workflow | None:
        """A workflow, if there is one of that name."""
        if not _NAME.fullmatch(name):
            return None
        if name in self._known and time.monotonic() - self._known[name][0] < _FRESH_SECONDS:
            return self._known[name][1]
        found = self._models.read(f"{PREFIX}{name}.json")
        workflow = _decoded(name, found.value) if found else None
        if workflow is not None:
            self._known[name] = (time.monotonic(), workflow)
        else:  # names that are made up must not fill the memory
            self._known.pop(name, None)
        return workflow

    def all(self) -> tuple[WorkflowSummary, ...]:
        """All of them, by name."""
        keys, _ = self._models.page(PREFIX, "")
        names = sorted(key.removeprefix(PREFIX).removesuffix(".json") for key in keys if key.endswith(".json"))
        return tuple(summary(found) for name in names if (found := self.find(name)) is not None)


def summary(workflow: Workflow) -> WorkflowSummary:
    """A workflow, in a list."""
    return WorkflowSummary(
        name=workflow.name,
        title=workflow.title or workflow.name,
        description=workflow.description or "",
        runtime=workflow.runtime,
        task=workflow.task,
    )


def view(workflow: Workflow) -> WorkflowView:
    """A workflow with its parameters."""
    short = summary(workflow)
    return WorkflowView(
        name=short.name,
        title=short.title,
        description=short.description,
        runtime=short.runtime,
        task=short.task,
        parameters=dict(workflow.parameters),
        schema=schema_of(workflow),
    )


def _decoded(name: str, data: bytes) -> Workflow | None:
    """A file that someone put there by hand may be wrong: it is left out, and the log says why."""
    try:
        return decode_workflow(parse(data))
    except ContractError as error:
        log.error("named workflow is wrong", workflow=name, reason=str(error))
        return None
