# Which VPC, zones and subnets: made here, or given. Everything else in this module reads these.

data "aws_availability_zones" "here" {
  #checkov:skip=CKV_AWS_394:A fixed number of zones is taken, in order; who wants them fixed by name sets `zones`
  count = local.made && var.zones == null ? 1 : 0

  state            = "available"
  exclude_zone_ids = var.excluded_zone_ids

  # Local and Wavelength Zones have to be opted into, and carry no EKS nodes.
  filter {
    name   = "opt-in-status"
    values = ["opt-in-not-required"]
  }
}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  made  = var.existing == null
  zones = !local.made ? [] : var.zones != null ? var.zones : slice(sort(data.aws_availability_zones.here[0].names), 0, var.zone_count)

  vpc_id             = local.made ? aws_vpc.this[0].id : var.existing.vpc_id
  private_subnet_ids = local.made ? [for zone in local.zones : aws_subnet.private[zone].id] : var.existing.private_subnet_ids
  route_table_ids    = local.made ? [for zone in local.zones : aws_route_table.private[zone].id] : var.existing.route_table_ids

  # A NAT gateway stands in each of these zones.
  nat_zones = var.nat_gateways == "single" ? slice(local.zones, 0, min(1, length(local.zones))) : local.zones
}
