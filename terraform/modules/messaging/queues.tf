# Per runtime: its queue, its bulk queue if it asks for one, and the dead-letter queue of both.

locals {
  # One delivery more than attempts: where every attempt took its agent with it, the last delivery writes the end.
  max_receives = var.attempts + 1

  # As much as the topic takes; a larger job travels by job_ref.
  message_bytes = 256 * 1024

  tls_only = {
    Sid       = "TlsOnly"
    Effect    = "Deny"
    Principal = "*"
    Action    = "sqs:*"
    Condition = { Bool = { "aws:SecureTransport" = "false" } }
  }
  from_jobs_topic = {
    Sid       = "FromJobsTopic"
    Effect    = "Allow"
    Principal = { Service = "sns.amazonaws.com" }
    Action    = "sqs:SendMessage"
    Condition = { ArnEquals = { "aws:SourceArn" = local.jobs_topic } }
  }
}

resource "aws_sqs_queue" "this" {
  for_each = local.queues

  name                       = "${var.name}-${each.key}"
  visibility_timeout_seconds = var.visibility_seconds
  message_retention_seconds  = var.retention_days * 24 * 3600
  max_message_size           = local.message_bytes
  tags                       = merge(var.tags, { "darkroom:runtime" = each.value.runtime })

  sqs_managed_sse_enabled = var.kms_key_arn == null ? true : null
  kms_master_key_id       = var.kms_key_arn

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead_letters[each.value.runtime].arn
    maxReceiveCount     = local.max_receives
  })

  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [for statement in [local.from_jobs_topic, local.tls_only] : merge(statement, { Resource = "${local.sqs}:${var.name}-${each.key}" })]
  })
}

resource "aws_sqs_queue" "dead_letters" {
  for_each = var.runtimes

  name                      = "${var.name}-${each.key}-dlq"
  max_message_size          = local.message_bytes
  message_retention_seconds = 14 * 24 * 3600 # the longest there is: somebody has to find the time to look
  tags                      = merge(var.tags, { "darkroom:runtime" = each.key })

  sqs_managed_sse_enabled = var.kms_key_arn == null ? true : null
  kms_master_key_id       = var.kms_key_arn

  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [for key, queue in local.queues : "${local.sqs}:${var.name}-${key}" if queue.runtime == each.key]
  })

  # The topic leaves here what it could not deliver.
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [for statement in [local.from_jobs_topic, local.tls_only] : merge(statement, { Resource = "${local.sqs}:${var.name}-${each.key}-dlq" })]
  })
}
