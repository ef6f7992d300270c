# Traces: what of them is recorded, a view of those that failed, and SNS's leave to write its part.

data "aws_partition" "current" {}

data "aws_region" "current" {}

data "aws_caller_identity" "current" {}

resource "aws_xray_sampling_rule" "this" {
  count = var.tracing ? 1 : 0

  # X-Ray takes 32 characters.
  rule_name      = "${var.name}-jobs"
  priority       = 1000
  version        = 1
  reservoir_size = 1
  fixed_rate     = var.sampling_rate
  service_name   = "${var.name}*"
  service_type   = "*"
  host           = "*"
  http_method    = "*"
  url_path       = "*"
  resource_arn   = "*"
  tags           = var.tags
}

resource "aws_xray_group" "failed" {
  count = var.tracing ? 1 : 0

  group_name        = "${var.name}-failed"
  filter_expression = "service(begins_with(\"${var.name}\")) AND (fault = true OR error = true)"
  tags              = var.tags
}

resource "aws_xray_resource_policy" "sns" {
  count = var.tracing ? 1 : 0

  policy_name = "${var.name}-sns"
  policy_document = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      # A trace belongs to nobody: X-Ray offers no resource for it.
      Sid       = "Sns"
      Effect    = "Allow"
      Principal = { Service = "sns.amazonaws.com" }
      Action    = ["xray:GetSamplingRules", "xray:GetSamplingTargets", "xray:PutTraceSegments"]
      Resource  = "*"
      Condition = {
        StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.current.account_id }
        ArnLike      = { "aws:SourceArn" = "arn:${data.aws_partition.current.partition}:sns:${data.aws_region.current.id}:${data.aws_caller_identity.current.account_id}:${var.name}-*" }
      }
    }]
  })
}
