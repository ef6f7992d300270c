output "function_name" {
  description = "Name of the function."
  value       = module.function.name
}

output "queue_name" {
  description = "Name of the queue of notifications, for metrics."
  value       = aws_sqs_queue.this.name
}

output "queue_url" {
  description = "URL of that queue."
  value       = aws_sqs_queue.this.url
}

output "queue_arn" {
  description = "ARN of that queue."
  value       = aws_sqs_queue.this.arn
}

output "dlq_url" {
  description = "URL of the queue of notifications that could not be delivered."
  value       = aws_sqs_queue.dead_letters.url
}

output "dlq_name" {
  description = "Name of the queue of notifications that could not be delivered."
  value       = aws_sqs_queue.dead_letters.name
}

output "secrets_path" {
  description = "SSM path of the signing secrets: `<path><tenant>`, and `<path>_default` for jobs without a tenant."
  value       = local.secrets
}

output "policy" {
  description = "Variables of every function that has to know where webhooks may lead."
  value       = local.policy
}
