# The jobs Lambda behind the API: its environment, who may call it, and the schedule of its sweep.

data "aws_partition" "current" {}

data "aws_region" "current" {}

data "aws_caller_identity" "current" {}

locals {
  environment = merge(var.webhook_policy, {
    S3_BUCKET        = var.outputs_bucket
    MODELS_BUCKET    = var.models_bucket
    JOBS_TOPIC_ARN   = var.jobs_topic_arn
    QUEUE_URL_PREFIX = var.queue_url_prefix
    RUNTIMES         = jsonencode({ for name, runtime in var.runtimes : name => { for key, value in runtime : key => value if value != null } })
    TENANTS          = jsonencode(var.tenants)
    CORS_ORIGINS     = join(",", var.cors_origins)
    LOGLEVEL         = upper(var.function.log_level)
  })
}

module "function" {
  source = "../function"

  name                 = "${var.name}-jobs"
  description          = "The jobs API of ${var.name}"
  handler              = "darkroom_api.jobs.handler"
  lambda_zip           = var.function.lambda_zip
  statements           = jsonencode(concat(local.statements, local.keys))
  memory_mib           = var.function.memory_mib
  reserved_concurrency = var.function.reserved_concurrency
  log_level            = var.function.log_level
  log_retention_days   = var.function.log_retention_days
  kms_key_arn          = var.kms_key_arn
  tracing              = var.function.tracing
  tags                 = var.tags
  environment          = local.environment
}

resource "aws_lambda_permission" "api" {
  statement_id  = "api"
  action        = "lambda:InvokeFunction"
  function_name = module.function.name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${var.api_execution_arn}/*"
}

# What could not be published at once waits in the outbox for this.
resource "aws_cloudwatch_event_rule" "sweep" {
  name                = "${var.name}-sweep"
  description         = "Publish the jobs of ${var.name} that wait in the outbox"
  schedule_expression = "rate(5 minutes)"
  tags                = var.tags
}

resource "aws_cloudwatch_event_target" "sweep" {
  rule      = aws_cloudwatch_event_rule.sweep.name
  target_id = "jobs"
  arn       = module.function.arn
  input     = jsonencode({ darkroom = "sweep" })
}

resource "aws_lambda_permission" "sweep" {
  statement_id  = "sweep"
  action        = "lambda:InvokeFunction"
  function_name = module.function.name
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.sweep.arn
}
