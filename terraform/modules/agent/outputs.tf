output "role_arn" {
  description = "ARN of the agent's role."
  value       = aws_iam_role.this.arn
}
