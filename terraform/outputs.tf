# What is made, for people. What Helm takes is in outputs_platform.tf and outputs_runtimes.tf.

data "aws_region" "current" {}

output "region" {
  description = "Region in which all of it is."
  value       = data.aws_region.current.id
}

output "vpc_id" {
  description = "VPC of the cluster."
  value       = module.network.vpc_id
}

output "private_subnet_ids" {
  description = "Subnets of the nodes."
  value       = module.network.private_subnet_ids
}

output "nat_addresses" {
  description = "Addresses from which nodes reach the internet, for others' allow-lists; empty with an existing VPC."
  value       = module.network.nat_addresses
}

output "image_repositories" {
  description = "Repository → URL to push its image to."
  value       = module.images.repository_urls
}

output "dashboard_name" {
  description = "CloudWatch dashboard of the installation; null without one."
  value       = module.observability.dashboard_name
}

output "snapshot_instance_profile_name" {
  description = "Instance profile for the instance that bottlerocket-snapshot/ starts."
  value       = module.snapshot.instance_profile_name
}

output "snapshot_builder_policy_arn" {
  description = "Policy to attach to whoever runs bottlerocket-snapshot."
  value       = module.snapshot.builder_policy_arn
}
