# Alarms on what AWS measures: jobs that wait, jobs that nobody could do, webhooks, functions and an API that fail.

locals {
  age_alarms = { for name, runtime in var.runtimes : name => runtime if runtime.max_age_seconds != null }
  pod_alarms = { for name, runtime in var.runtimes : name => runtime if runtime.cold_start_seconds != null }

  dead_letters = merge(
    { for name, runtime in var.runtimes : name => {
      queue   = runtime.dlq_name
      what    = "Jobs of the runtime ${name} could not be done and lie in ${runtime.dlq_name}."
      runbook = "dead-letters"
    } },
    { for queue in var.webhooks_dlq_name == null ? [] : [var.webhooks_dlq_name] : "webhooks" => {
      queue   = queue
      what    = "Webhooks could not be delivered and lie in ${queue}."
      runbook = "webhook-dead-letters"
    } },
  )

  function_alarms = merge([for label, name in var.functions : {
    "${label}-errors"    = { name = name, metric = "Errors", what = "The function ${name} fails again and again.", runbook = "function-errors" }
    "${label}-throttles" = { name = name, metric = "Throttles", what = "The function ${name} is refused to run: it is at its limit.", runbook = "function-throttles" }
  }]...)
}

resource "aws_cloudwatch_metric_alarm" "age" {
  for_each = local.age_alarms

  alarm_name          = "${var.name}-${each.key}-age"
  alarm_description   = "A job of the runtime ${each.key} has waited more than ${each.value.max_age_seconds} s. ${var.runbooks}/oldest-message.md"
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

# A pod takes a message in seconds: one that waits while none is in work says that there is no pod.
resource "aws_cloudwatch_metric_alarm" "pods" {
  for_each = local.pod_alarms

  alarm_name          = "${var.name}-${each.key}-no-pod"
  alarm_description   = "Jobs of the runtime ${each.key} wait, and no pod has started within ${each.value.cold_start_seconds} s. ${var.runbooks}/no-pod.md"
  evaluation_periods  = 3
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_actions
  ok_actions          = var.alarm_actions
  tags                = var.tags

  metric_query {
    id          = "idle"
    label       = "Seconds beyond the budget without a pod"
    expression  = "IF(FILL(work, 0) == 0 AND FILL(age, 0) > ${each.value.cold_start_seconds}, age - ${each.value.cold_start_seconds}, 0)"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = { age = "ApproximateAgeOfOldestMessage", work = "ApproximateNumberOfMessagesNotVisible" }

    content {
      id = metric_query.key
      metric {
        namespace   = "AWS/SQS"
        metric_name = metric_query.value
        dimensions  = { QueueName = each.value.queue_name }
        stat        = "Maximum"
        period      = 60
      }
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "dead_letters" {
  for_each = local.dead_letters

  alarm_name          = "${var.name}-${each.key}-dead-letters"
  alarm_description   = "${each.value.what} ${var.runbooks}/${each.value.runbook}.md"
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
  for_each = local.function_alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = "${each.value.what} ${var.runbooks}/${each.value.runbook}.md"
  namespace           = "AWS/Lambda"
  metric_name         = each.value.metric
  dimensions          = { FunctionName = each.value.name }
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
  alarm_description   = "The jobs API answers more than 1 % of requests with 5xx. ${var.runbooks}/api-errors.md"
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
