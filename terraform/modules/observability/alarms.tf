# Alarms: jobs that wait too long, jobs that nobody could do, webhooks that nobody answered, functions and an API that fail.

locals {
  age_alarms = { for name, runtime in var.runtimes : name => runtime if runtime.max_age_seconds != null }

  dead_letters = merge(
    { for name, runtime in var.runtimes : name => { queue = runtime.dlq_name, what = "Jobs of the runtime ${name} could not be done: look into ${runtime.dlq_name}, mend, then `darkroom redrive ${name}`" } },
    { for queue in var.webhooks_dlq_name == null ? [] : [var.webhooks_dlq_name] : "webhooks" => { queue = queue, what = "Webhooks could not be delivered: look into ${queue}, then `darkroom redrive --webhooks`" } },
  )
}

resource "aws_cloudwatch_metric_alarm" "age" {
  for_each = local.age_alarms

  alarm_name          = "${var.name}-${each.key}-age"
  alarm_description   = "A job of the runtime ${each.key} has waited more than ${each.value.max_age_seconds} s: no GPU is to be had, or pods do not start"
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateAgeOfOldestMessage"
  dimensions          = { QueueName = each.value.queue_name }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 3
  threshold           = each.value.max_age_seconds
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching" # SQS says nothing of a queue that nobody uses
  alarm_actions       = var.alarm_actions
  ok_actions          = var.alarm_actions
  tags                = var.tags
}

resource "aws_cloudwatch_metric_alarm" "dead_letters" {
  for_each = local.dead_letters

  alarm_name          = "${var.name}-${each.key}-dead-letters"
  alarm_description   = each.value.what
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  dimensions          = { QueueName = each.value.queue }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 1
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_actions
  ok_actions          = var.alarm_actions
  tags                = var.tags
}

resource "aws_cloudwatch_metric_alarm" "functions" {
  for_each = var.functions

  alarm_name          = "${var.name}-${each.key}-errors"
  alarm_description   = "The function ${each.value} fails again and again: its log says why"
  namespace           = "AWS/Lambda"
  metric_name         = "Errors"
  dimensions          = { FunctionName = each.value }
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 5
  datapoints_to_alarm = 3
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_actions
  ok_actions          = var.alarm_actions
  tags                = var.tags
}

resource "aws_cloudwatch_metric_alarm" "api" {
  count = var.api_name == null ? 0 : 1

  alarm_name          = "${var.name}-api-errors"
  alarm_description   = "The jobs API answers more than 1 % of requests with 5xx"
  namespace           = "AWS/ApiGateway"
  metric_name         = "5XXError"
  dimensions          = { ApiName = var.api_name }
  statistic           = "Average"
  period              = 60
  evaluation_periods  = 5
  datapoints_to_alarm = 3
  threshold           = 0.01
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_actions
  ok_actions          = var.alarm_actions
  tags                = var.tags
}
