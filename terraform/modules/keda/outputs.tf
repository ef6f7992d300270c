output "role_arn" {
  description = "ARN of the operator's role."
  value       = aws_iam_role.this.arn
}
