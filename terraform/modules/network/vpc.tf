# The VPC and its subnets: a private one in each zone for nodes and pods, a small public one for the NAT gateway.

resource "aws_vpc" "this" {
  #checkov:skip=CKV2_AWS_11:A flow log is a choice (flow_log_retention_days), it costs by the gigabyte
  count = local.made ? 1 : 0

  cidr_block           = var.cidr
  enable_dns_support   = true
  enable_dns_hostnames = true
  tags                 = merge(var.tags, { Name = var.name })
}

# The default group would let everything in it talk to everything; without rules nothing can be put there by mistake.
resource "aws_default_security_group" "this" {
  count = local.made ? 1 : 0

  vpc_id = aws_vpc.this[0].id
  tags   = merge(var.tags, { Name = "${var.name}-default-unused" })
}

resource "aws_subnet" "private" {
  for_each = toset(local.zones)

  vpc_id            = local.vpc_id
  availability_zone = each.key
  cidr_block        = cidrsubnet(var.cidr, 2, index(local.zones, each.key))
  tags = merge(var.tags, {
    Name                              = "${var.name}-private-${each.key}"
    "karpenter.sh/discovery"          = var.name
    "kubernetes.io/role/internal-elb" = "1"
  })
}

# The last quarter of the network, in sixteenths.
resource "aws_subnet" "public" {
  for_each = toset(local.zones)

  vpc_id                  = local.vpc_id
  availability_zone       = each.key
  cidr_block              = cidrsubnet(var.cidr, 6, 48 + index(local.zones, each.key))
  map_public_ip_on_launch = false
  tags = merge(var.tags, {
    Name                     = "${var.name}-public-${each.key}"
    "kubernetes.io/role/elb" = "1"
  })
}
