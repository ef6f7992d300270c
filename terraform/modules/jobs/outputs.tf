output "function_name" {
  description = "Name of the function."
  value       = module.function.name
}

output "invoke_arn" {
  description = "ARN by which API Gateway calls the function."
  value       = module.function.invoke_arn
}
