output "role_arn" {
  description = "ARN of the collector's role."
  value       = aws_iam_role.this.arn
}

output "pods_log_group" {
  description = "Name of the log group of all pods."
  value       = aws_cloudwatch_log_group.pods.name
}

output "log_group" {
  description = "Name of the log group of metrics."
  value       = aws_cloudwatch_log_group.metrics.name
}
