# The queue of notifications that somebody wants to be called for, its dead letters, and the filter that lets them in.

locals {
  timeout_seconds = 30
  message_bytes   = 256 * 1024 # as much as the topic takes

  tls_only = {
    Sid       = "TlsOnly"
    Effect    = "Deny"
    Principal = "*"
    Action    = "sqs:*"
    Condition = { Bool = { "aws:SecureTransport" = "false" } }
  }
  from_results_topic = {
    Sid       = "FromResultsTopic"
    Effect    = "Allow"
    Principal = { Service = "sns.amazonaws.com" }
    Action    = "sqs:SendMessage"
    Condition = { ArnEquals = { "aws:SourceArn" = var.results_topic_arn } }
  }
}

resource "aws_sqs_queue" "this" {
  name = local.queue_name
  # Six times the function's: AWS's rule for a queue that Lambda reads, so that a throttled batch is not handed out twice.
  visibility_timeout_seconds = 6 * local.timeout_seconds
  message_retention_seconds  = 4 * 24 * 3600
  max_message_size           = local.message_bytes
  tags                       = var.tags

  sqs_managed_sse_enabled = var.kms_key_arn == null ? true : null
  kms_master_key_id       = var.kms_key_arn

  redrive_policy = jsonencode({ deadLetterTargetArn = aws_sqs_queue.dead_letters.arn, maxReceiveCount = var.attempts })

  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [for statement in [local.from_results_topic, local.tls_only] : merge(statement, { Resource = local.queue_arn })]
  })
}

resource "aws_sqs_queue" "dead_letters" {
  name                      = "${local.queue_name}-dlq"
  message_retention_seconds = 14 * 24 * 3600
  max_message_size          = local.message_bytes
  tags                      = var.tags

  sqs_managed_sse_enabled = var.kms_key_arn == null ? true : null
  kms_master_key_id       = var.kms_key_arn

  redrive_allow_policy = jsonencode({ redrivePermission = "byQueue", sourceQueueArns = [local.queue_arn] })

  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [for statement in [local.from_results_topic, local.tls_only] : merge(statement, { Resource = local.dlq_arn })]
  })
}

resource "aws_sns_topic_subscription" "this" {
  topic_arn      = var.results_topic_arn
  protocol       = "sqs"
  endpoint       = aws_sqs_queue.this.arn
  filter_policy  = jsonencode({ webhook = ["true"] })
  redrive_policy = jsonencode({ deadLetterTargetArn = aws_sqs_queue.dead_letters.arn })
}
