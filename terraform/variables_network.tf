variable "network" {
  description = <<-EOT
    The network; what is left out takes the default of modules/network, where each is described.
    `existing` = { vpc_id, private_subnet_ids, route_table_ids } takes a VPC that is there. Else one is made: `cidr` (/16 to /22),
    `zones` by name or `zone_count` (2 or 3), `nat_gateways` (`single` or `per_zone`), `flow_log_retention_days`.
    `interface_endpoints`: AWS services that are reached without NAT.
  EOT
  type = object({
    existing = optional(object({
      vpc_id             = string
      private_subnet_ids = list(string)
      route_table_ids    = optional(list(string), [])
    }))
    cidr                    = optional(string)
    zones                   = optional(list(string))
    zone_count              = optional(number)
    excluded_zone_ids       = optional(list(string))
    nat_gateways            = optional(string)
    interface_endpoints     = optional(set(string))
    flow_log_retention_days = optional(number)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.network.existing == null || (var.network.cidr == null && var.network.zones == null && var.network.zone_count == null && var.network.nat_gateways == null)
    error_message = "network: with `existing` no VPC is made, so `cidr`, `zones`, `zone_count` and `nat_gateways` have no meaning; leave them out."
  }
}
