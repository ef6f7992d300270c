# The log group of all pods, and the role of what writes it.

locals {
  # The collector of logs of charts/platform writes to the group of its cluster's name.
  pods_log_group = "/darkroom/${var.name}/pods"
  pods_log_arn   = "arn:${data.aws_partition.current.partition}:logs:${data.aws_region.current.id}:${data.aws_caller_identity.current.account_id}:log-group:${local.pods_log_group}"
}

resource "aws_iam_role" "logs" {
  name_prefix        = "${var.name}-logs-"
  description        = "The collector of logs in the cluster of ${var.name}"
  assume_role_policy = local.trust_pods
  tags               = var.tags
}

resource "aws_iam_role_policy" "logs" {
  name = "logs"
  role = aws_iam_role.logs.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "Logs"
      Effect   = "Allow"
      Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
      Resource = "${local.pods_log_arn}:*"
    }]
  })
}

resource "aws_cloudwatch_log_group" "pods" {
  #checkov:skip=CKV_AWS_338:How long logs are kept is a choice (pods_log_retention_days); they hold no job's only record
  name              = local.pods_log_group
  retention_in_days = var.pods_log_retention_days
  kms_key_id        = var.kms_key_arn
  tags              = var.tags
}

resource "aws_eks_pod_identity_association" "logs" {
  count = var.logs_pod == null ? 0 : 1

  cluster_name    = var.logs_pod.cluster
  namespace       = var.logs_pod.namespace
  service_account = var.logs_pod.service_account
  role_arn        = aws_iam_role.logs.arn
  tags            = var.tags
}
