output "vpc_id" {
  description = "Id of the VPC."
  value       = local.vpc_id
}

output "private_subnet_ids" {
  description = "Ids of the subnets for nodes, one a zone, in the order of the zones."
  value       = local.private_subnet_ids
}

output "public_subnet_ids" {
  description = "Ids of the public subnets; empty with an existing VPC."
  value       = [for zone in local.zones : aws_subnet.public[zone].id]
}

output "zones" {
  description = "Names of the zones of the subnets that were made; empty with an existing VPC."
  value       = local.zones
}

output "nat_addresses" {
  description = "Addresses from which nodes reach the internet, for others' allow-lists; empty with an existing VPC."
  value       = [for zone in local.nat_zones : aws_eip.nat[zone].public_ip]
}
