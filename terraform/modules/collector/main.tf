# The role of the cluster's telemetry collector, and the log group through which metrics come to CloudWatch.

data "aws_partition" "current" {}

data "aws_region" "current" {}

data "aws_caller_identity" "current" {}

locals {
  trust_pods = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "PodIdentity"
      Effect    = "Allow"
      Principal = { Service = "pods.eks.amazonaws.com" }
      Action    = ["sts:AssumeRole", "sts:TagSession"]
    }]
  })

  # The collector of charts/platform writes to the group of its cluster's name.
  log_group = "/darkroom/${var.name}/metrics"
  log_arn   = "arn:${data.aws_partition.current.partition}:logs:${data.aws_region.current.id}:${data.aws_caller_identity.current.account_id}:log-group:${local.log_group}"
}

resource "aws_iam_role" "this" {
  name_prefix = "${var.name}-collector-"
  description = "The telemetry collector in the cluster of ${var.name}"
  tags        = var.tags

  assume_role_policy = local.trust_pods
}

resource "aws_iam_role_policy" "this" {
  name = "telemetry"
  role = aws_iam_role.this.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "Metrics"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = "${local.log_arn}:*"
      },
      {
        # A trace belongs to nobody: X-Ray offers no resource for it.
        Sid      = "Traces"
        Effect   = "Allow"
        Action   = ["xray:PutTelemetryRecords", "xray:PutTraceSegments"]
        Resource = "*"
      },
    ]
  })
}

resource "aws_cloudwatch_log_group" "metrics" {
  #checkov:skip=CKV_AWS_338:CloudWatch keeps the metrics; the group holds what they were made of
  name              = local.log_group
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
  tags              = var.tags
}

resource "aws_eks_pod_identity_association" "this" {
  count = var.pod == null ? 0 : 1

  cluster_name    = var.pod.cluster
  namespace       = var.pod.namespace
  service_account = var.pod.service_account
  role_arn        = aws_iam_role.this.arn
  tags            = var.tags
}
