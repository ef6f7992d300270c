output "instance_profile_name" {
  description = "Name of the instance profile to start the builder's instance with."
  value       = aws_iam_instance_profile.this.name
}

output "role_arn" {
  description = "ARN of the instance's role."
  value       = aws_iam_role.this.arn
}

output "builder_policy_arn" {
  description = "ARN of the policy for whoever runs the builder; it is attached to nobody here."
  value       = aws_iam_policy.builder.arn
}
