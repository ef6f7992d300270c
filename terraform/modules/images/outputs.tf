output "repository_urls" {
  description = "Repository → its URL, without a tag."
  value       = { for name, repository in aws_ecr_repository.this : name => repository.repository_url }
}

output "repository_arns" {
  description = "Repository → its ARN."
  value       = { for name, repository in aws_ecr_repository.this : name => repository.arn }
}
