# The interruption queue: EventBridge puts in it what is about to happen to instances, Karpenter acts before it does.

locals {
  interruptions = {
    spot         = { source = "aws.ec2", detail_type = "EC2 Spot Instance Interruption Warning", meaning = "Spot takes an instance back in two minutes" }
    rebalance    = { source = "aws.ec2", detail_type = "EC2 Instance Rebalance Recommendation", meaning = "Spot may soon take an instance back" }
    state-change = { source = "aws.ec2", detail_type = "EC2 Instance State-change Notification", meaning = "An instance stops or ends" }
    health       = { source = "aws.health", detail_type = "AWS Health Event", meaning = "AWS will maintain an instance's host" }
  }
}

resource "aws_sqs_queue" "interruption" {
  name = "${var.name}-interruption"
  # A warning of more than five minutes ago has come true.
  message_retention_seconds = 300
  sqs_managed_sse_enabled   = true
  tags                      = var.tags
}

resource "aws_sqs_queue_policy" "interruption" {
  queue_url = aws_sqs_queue.interruption.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "EventBridge"
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = "sqs:SendMessage"
        Resource  = aws_sqs_queue.interruption.arn
        Condition = { ArnEquals = { "aws:SourceArn" = [for rule in aws_cloudwatch_event_rule.interruption : rule.arn] } }
      },
      {
        Sid       = "TlsOnly"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sqs:*"
        Resource  = aws_sqs_queue.interruption.arn
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })
}

resource "aws_cloudwatch_event_rule" "interruption" {
  for_each = local.interruptions

  name          = "${var.name}-karpenter-${each.key}"
  description   = "${each.value.meaning}: tell Karpenter of ${var.name}"
  event_pattern = jsonencode({ source = [each.value.source], detail-type = [each.value.detail_type] })
  tags          = var.tags
}

resource "aws_cloudwatch_event_target" "interruption" {
  for_each = local.interruptions

  rule      = aws_cloudwatch_event_rule.interruption[each.key].name
  target_id = "interruption-queue"
  arn       = aws_sqs_queue.interruption.arn
}
