output "outputs_bucket" {
  description = "Name of the bucket for artifacts, job documents and inputs."
  value       = aws_s3_bucket.this["outputs"].id

  # Nobody writes before the bucket is closed.
  depends_on = [aws_s3_bucket_policy.this, aws_s3_bucket_ownership_controls.this, aws_s3_bucket_server_side_encryption_configuration.this]
}

output "outputs_bucket_arn" {
  description = "ARN of that bucket."
  value       = aws_s3_bucket.this["outputs"].arn
}

output "models_bucket" {
  description = "Name of the bucket for models and named workflows, new or existing."
  value       = try(aws_s3_bucket.this["models"].id, var.existing_models_bucket)
}

output "models_bucket_arn" {
  description = "ARN of that bucket."
  value       = "${local.s3}${try(aws_s3_bucket.this["models"].id, var.existing_models_bucket)}"
}
