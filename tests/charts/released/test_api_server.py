"""The API server that judges the charts: it judges."""

from collections.abc import Callable

import pytest

_SCALED = """\
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {{name: test, namespace: default}}
spec:
  scaleTargetRef: {{name: test}}
  {field}: 5
  triggers: [{{type: aws-sqs-queue, metadata: {{queueURL: x, awsRegion: eu-west-1}}}}]
---
apiVersion: karpenter.sh/v1
kind: NodePool
metadata: {{name: test}}
spec:
  template:
    spec:
      nodeClassRef: {{group: karpenter.k8s.aws, kind: EC2NodeClass, name: test}}
      requirements: [{{key: karpenter.sh/capacity-type, operator: In, values: [spot]}}]
"""


def test_it_takes_what_is_right(dry_run: Callable[[str], str]) -> None:
    """Objects of KEDA and Karpenter pass; nothing of them is kept."""
    for _ in range(2):
        said = dry_run(_SCALED.format(field="pollingInterval"))
        assert "scaledobject.keda.sh/test serverside-applied (server dry run)" in said
        assert "nodepool.karpenter.sh/test serverside-applied (server dry run)" in said


def test_it_refuses_what_is_not(dry_run: Callable[[str], str]) -> None:
    """A field with a slip of the pen is named: a cluster would lose it without a word."""
    with pytest.raises(AssertionError, match="pollingIntervall"):
        dry_run(_SCALED.format(field="pollingIntervall"))
