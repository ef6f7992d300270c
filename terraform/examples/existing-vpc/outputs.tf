output "platform_values" {
  description = "Values of charts/platform."
  value       = module.darkroom.platform_values
}
