output "controller_role_arn" {
  description = "ARN of the controller's role, which its service account has by Pod Identity."
  value       = aws_iam_role.controller.arn
}

output "node_role_name" {
  description = "Name of the nodes' role: `spec.role` of an EC2NodeClass."
  value       = aws_iam_role.node.name
}

output "node_role_arn" {
  description = "ARN of the nodes' role."
  value       = aws_iam_role.node.arn
}

output "interruption_queue_name" {
  description = "Name of the interruption queue: `settings.interruptionQueue` of Karpenter's chart."
  value       = aws_sqs_queue.interruption.name
}

output "service_account" {
  description = "Service account that has the controller's role: `serviceAccount.name` of Karpenter's chart."
  value       = aws_eks_pod_identity_association.controller.service_account
}
