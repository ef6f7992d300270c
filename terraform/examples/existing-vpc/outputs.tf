output "platform_values" {
  description = "Values of charts/platform."
  value       = module.darkroom.platform_values
}

output "runtime_values" {
  description = "Runtime → values of its charts/runtime release."
  value       = module.darkroom.runtime_values
}

output "cli_config" {
  description = "Configuration of the command line, TOML."
  value       = module.darkroom.cli_config
}

output "api_keys" {
  description = "Tenant and key → value of x-api-key."
  value       = module.darkroom.api_keys
  sensitive   = true
}

output "deployment" {
  description = "What `make deploy` goes on with."
  value       = module.darkroom.deployment
}
