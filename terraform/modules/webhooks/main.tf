# The webhook Lambda: it reads its queue, signs, and calls the URLs that callers named.

data "aws_partition" "current" {}

data "aws_region" "current" {}

data "aws_caller_identity" "current" {}

locals {
  arn        = "arn:${data.aws_partition.current.partition}"
  place      = "${data.aws_region.current.id}:${data.aws_caller_identity.current.account_id}"
  queue_name = "${var.name}-webhooks"
  queue_arn  = "${local.arn}:sqs:${local.place}:${local.queue_name}"
  dlq_arn    = "${local.queue_arn}-dlq"
  outputs    = "${local.arn}:s3:::${var.outputs_bucket}"
  secrets    = "/${var.name}/webhooks/"
  policy = {
    WEBHOOK_ALLOWED_NETWORKS = join(",", var.allowed_networks)
    WEBHOOK_ALLOWED_PORTS    = join(",", var.allowed_ports)
  }

  statements = [
    {
      Sid      = "TakeNotifications"
      Effect   = "Allow"
      Action   = ["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"]
      Resource = local.queue_arn
    },
    {
      # Without this S3 says 403, not 404, for a document that has expired.
      Sid      = "FindDocuments"
      Effect   = "Allow"
      Action   = "s3:ListBucket"
      Resource = local.outputs
    },
    {
      # Artifacts may lie under any prefix: an address that is signed here can do what this role can.
      Sid      = "ReadDocumentsAndArtifacts"
      Effect   = "Allow"
      Action   = "s3:GetObject"
      Resource = "${local.outputs}/*"
    },
    {
      Sid      = "ReadSecrets"
      Effect   = "Allow"
      Action   = "ssm:GetParameter"
      Resource = "${local.arn}:ssm:${local.place}:parameter${local.secrets}*"
    },
  ]
  keys = [for statement in [{
    Sid      = "Decrypt"
    Effect   = "Allow"
    Action   = "kms:Decrypt"
    Resource = var.kms_key_arn
  }] : statement if var.kms_key_arn != null]
}

module "function" {
  source = "../function"

  name                 = local.queue_name
  description          = "Calls the webhooks of ${var.name}"
  handler              = "darkroom_api.webhooks.handler"
  lambda_zip           = var.function.lambda_zip
  statements           = jsonencode(concat(local.statements, local.keys))
  timeout_seconds      = local.timeout_seconds
  memory_mib           = var.function.memory_mib
  reserved_concurrency = var.function.reserved_concurrency
  log_level            = var.function.log_level
  log_retention_days   = var.function.log_retention_days
  kms_key_arn          = var.kms_key_arn
  tracing              = var.function.tracing
  tags                 = var.tags

  environment = merge(local.policy, {
    S3_BUCKET            = var.outputs_bucket
    WEBHOOK_SECRETS_PATH = local.secrets
    LOGLEVEL             = upper(var.function.log_level)
  })
}

resource "aws_lambda_event_source_mapping" "queue" {
  event_source_arn        = aws_sqs_queue.this.arn
  function_name           = module.function.arn
  batch_size              = 10
  function_response_types = ["ReportBatchItemFailures"]
  tags                    = var.tags

  scaling_config {
    maximum_concurrency = var.max_concurrency
  }
}
