output "name" {
  description = "Name of the REST API, for metrics."
  value       = aws_api_gateway_rest_api.this.name
}

output "endpoint" {
  description = "URL that the contract's paths follow."
  value       = var.domain == null ? aws_api_gateway_stage.this.invoke_url : "https://${var.domain.name}"
}

output "execution_arn" {
  description = "What a Lambda's permission names as its caller."
  value       = aws_api_gateway_rest_api.this.execution_arn
}

output "tenants" {
  description = "Id of an API key → the tenant whose it is."
  value       = { for key, setting in local.keys : aws_api_gateway_api_key.this[key].id => setting.tenant }
}

output "keys" {
  description = "`<tenant>/<key>` → the value of x-api-key."
  value       = { for key, made in aws_api_gateway_api_key.this : key => made.value }
  sensitive   = true
}
