# One Lambda function: its role, its log group, and what it may do (told by whoever uses this).

data "aws_partition" "current" {}

data "aws_region" "current" {}

data "aws_caller_identity" "current" {}

locals {
  log_group = "/aws/lambda/${var.name}"
  log_arn   = "arn:${data.aws_partition.current.partition}:logs:${data.aws_region.current.id}:${data.aws_caller_identity.current.account_id}:log-group:${local.log_group}"

  log = [{
    Sid      = "Log"
    Effect   = "Allow"
    Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    Resource = "${local.log_arn}:*"
  }]
  trace = [for statement in [{
    # A trace belongs to nobody: X-Ray offers no resource for it.
    Sid      = "Trace"
    Effect   = "Allow"
    Action   = ["xray:PutTelemetryRecords", "xray:PutTraceSegments"]
    Resource = "*"
  }] : statement if var.tracing]

  environment_bytes = sum(concat([0], [for name, value in var.environment : length(name) + length(value)]))
}

resource "aws_iam_role" "this" {
  name_prefix = "${substr(var.name, 0, 37)}-"
  description = "The function ${var.name}"
  tags        = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "Lambda"
      Effect    = "Allow"
      Principal = { Service = "lambda.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy" "this" {
  name   = "duty"
  role   = aws_iam_role.this.id
  policy = jsonencode({ Version = "2012-10-17", Statement = concat(jsondecode(var.statements), local.log, local.trace) })
}

resource "aws_cloudwatch_log_group" "this" {
  #checkov:skip=CKV_AWS_338:How long logs are kept is a choice (log_retention_days); they hold no job's only record
  name              = local.log_group
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
  tags              = var.tags
}

resource "aws_lambda_function" "this" {
  #checkov:skip=CKV_AWS_116:It is called and answers, or reads a queue that has its own dead letters
  #checkov:skip=CKV_AWS_117:It talks to AWS alone, or to callers' public addresses; a VPC would add a NAT and nothing else
  #checkov:skip=CKV_AWS_272:The zip is built where it is applied; signing would need a service more than it guards
  function_name    = var.name
  description      = var.description
  role             = aws_iam_role.this.arn
  runtime          = "python3.13"
  architectures    = ["arm64"]
  handler          = var.handler
  filename         = var.lambda_zip
  source_code_hash = filebase64sha256(var.lambda_zip)
  timeout          = var.timeout_seconds
  memory_size      = var.memory_mib
  kms_key_arn      = var.kms_key_arn
  tags             = var.tags

  reserved_concurrent_executions = coalesce(var.reserved_concurrency, -1)

  environment {
    variables = var.environment
  }

  logging_config {
    log_group             = aws_cloudwatch_log_group.this.name
    log_format            = "JSON"
    application_log_level = upper(var.log_level) == "WARNING" ? "WARN" : upper(var.log_level)
  }

  tracing_config {
    mode = var.tracing ? "Active" : "PassThrough"
  }

  lifecycle {
    precondition {
      condition     = local.environment_bytes <= 4000
      error_message = "The environment of ${var.name} would have ${local.environment_bytes} bytes, and Lambda takes 4 KiB: give a deployment of its own to some of the runtimes or tenants."
    }
  }

  depends_on = [aws_iam_role_policy.this]
}
