output "instance_profile_name" {
  description = "Name of the instance profile to start the builder's instance with."
  value       = aws_iam_instance_profile.this.name
}

output "role_arn" {
  description = "ARN of the instance's role; whoever runs the builder needs iam:PassRole for it."
  value       = aws_iam_role.this.arn
}
