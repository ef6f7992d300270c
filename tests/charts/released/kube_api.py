"""What the charts' tests ask a real API server: objects put to it strictly, as Helm would, without keeping them."""

import json
import ssl
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx
import yaml

type Object = dict[str, Any]


class Rejected(Exception):
    """The API server's answer to what it does not take."""


class KubeApi:
    """A client of the API server that a kubeconfig leads to."""

    def __init__(self, kubeconfig: Path, token: str | None = None) -> None:
        """`token` is another's than the kubeconfig's."""
        config = yaml.safe_load(kubeconfig.read_text())
        # Its certificate is made at its start, for this machine alone.
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self._http = httpx.Client(
            base_url=config["clusters"][0]["cluster"]["server"],
            headers={"Authorization": f"Bearer {token or config['users'][0]['user']['token']}"},
            verify=context,
            timeout=30,
        )

    def close(self) -> None:
        """End its connections."""
        self._http.close()

    def call(self, method: str, path: str, body: Any = None, kind: str = "application/json", **query: str) -> Object:
        """One request.

        Raises:
            Rejected: with the server's message.
        """
        answer = self._http.request(
            method,
            path,
            params=query,
            content=None if body is None else json.dumps(body),
            headers={"Content-Type": kind},
        )
        if answer.is_error:
            raise Rejected(answer.json().get("message", answer.text))
        said: Object = answer.json()
        return said

    def watched(self, path: str) -> Iterator[Object]:
        """Objects of a kind: those that are there, then each that comes or changes, for as long as the server tells."""
        with self._http.stream("GET", path, params={"watch": "true"}, timeout=None) as answer:
            for line in answer.iter_lines():
                event = json.loads(line)
                if event["type"] in {"ADDED", "MODIFIED"}:
                    yield event["object"]

    def apply(self, thing: Mapping[str, Any], *, keep: bool = False) -> Object:
        """Apply an object as Helm 4 does, and refuse what the server does not know; without `keep` only try it.

        Raises:
            Rejected: it is not taken.
        """
        query = {} if keep else {"dryRun": "All"}
        path = self.path_of(thing)
        return self.call(
            "PATCH", path, thing, "application/apply-patch+yaml", fieldManager="helm", fieldValidation="Strict", **query
        )

    def refusals(self, things: Iterable[Mapping[str, Any]]) -> dict[str, str]:
        """What the server does not take: `Kind/name` → why."""
        wrong = {}
        for thing in things:
            try:
                self.apply(thing)
            except Rejected as reason:
                wrong[f"{thing['kind']}/{thing['metadata']['name']}"] = str(reason)
        return wrong

    def path_of(self, thing: Mapping[str, Any]) -> str:
        """Where an object lies."""
        group, kind = thing["apiVersion"], thing["kind"]
        plural, namespaced = self._resources(group)[kind]
        within = f"/namespaces/{thing['metadata'].get('namespace', 'default')}" if namespaced else ""
        return f"{_root(group)}{within}/{plural}/{thing['metadata']['name']}"

    def _resources(self, group: str) -> dict[str, tuple[str, bool]]:
        if group not in self._known:
            listed = self.call("GET", _root(group))["resources"]
            self._known[group] = {
                one["kind"]: (one["name"], one["namespaced"]) for one in listed if "/" not in one["name"]
            }
        return self._known[group]

    @cached_property
    def _known(self) -> dict[str, dict[str, tuple[str, bool]]]:
        return {}


def _root(group: str) -> str:
    return f"/api/{group}" if "/" not in group else f"/apis/{group}"
