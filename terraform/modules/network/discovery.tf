# Karpenter finds its subnets by this tag. Subnets made here carry it already.

# Counted, not keyed: the ids may not be known until the VPC beside this module is made.
resource "aws_ec2_tag" "discovery" {
  count = local.made ? 0 : length(var.existing.private_subnet_ids)

  resource_id = var.existing.private_subnet_ids[count.index]
  key         = "karpenter.sh/discovery"
  value       = var.name
}
