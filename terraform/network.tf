# The network: a VPC of its own, or an existing one.

module "network" {
  source = "./modules/network"

  name                    = var.name
  existing                = var.network.existing
  cidr                    = var.network.cidr
  zones                   = var.network.zones
  zone_count              = var.network.zone_count
  excluded_zone_ids       = var.network.excluded_zone_ids
  nat_gateways            = var.network.nat_gateways
  interface_endpoints     = var.network.interface_endpoints
  flow_log_retention_days = var.network.flow_log_retention_days
  tags                    = var.tags
}
