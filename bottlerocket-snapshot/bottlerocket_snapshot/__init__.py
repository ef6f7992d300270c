"""Builds EBS snapshots of Bottlerocket's data volume with container images in them, so that new nodes need not pull."""
