# What policies here are written with, and the tag by which Karpenter finds the nodes' security group.

data "aws_partition" "current" {}

data "aws_region" "current" {}

data "aws_caller_identity" "current" {}

locals {
  partition  = data.aws_partition.current.partition
  region     = data.aws_region.current.id
  account_id = data.aws_caller_identity.current.account_id

  # EC2's resources of this region, of any account where the account part is `*` (shared subnets).
  ec2 = "arn:${local.partition}:ec2:${local.region}"
}

resource "aws_ec2_tag" "security_group" {
  resource_id = var.cluster_security_group_id
  key         = "karpenter.sh/discovery"
  value       = var.name
}
