# Alarms on what agents measure. Without telemetry there is nothing to measure, and they stay silent.

locals {
  failure_metrics = {
    service = { fault = "service" } # refused requests are the caller's fault, and wake nobody
    retried = { state = "retried" }
    all     = {}
  }
}

resource "aws_cloudwatch_metric_alarm" "failures" {
  for_each = var.runtimes

  alarm_name          = "${var.name}-${each.key}-failures"
  alarm_description   = "More than ${var.failure_percent} % of the jobs of the runtime ${each.key} fail, and not by the caller's fault. ${var.runbooks}/failures.md"
  evaluation_periods  = 2
  threshold           = var.failure_percent
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_actions
  ok_actions          = var.alarm_actions
  tags                = var.tags

  metric_query {
    id          = "failures"
    label       = "Failed jobs, %"
    expression  = "IF(ended >= 5, 100 * FILL(service, 0) / ended, 0)" # one of three says nothing
    return_data = true
  }

  metric_query {
    id         = "ended"
    label      = "Jobs that ended"
    expression = "FILL(all, 0) - FILL(retried, 0)"
  }

  dynamic "metric_query" {
    for_each = local.failure_metrics

    content {
      id = metric_query.key
      metric {
        namespace   = "Darkroom"
        metric_name = "darkroom.jobs"
        dimensions  = merge({ "darkroom.runtime" = each.key }, metric_query.value)
        stat        = "Sum"
        period      = 300
      }
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "leases" {
  for_each = var.runtimes

  alarm_name          = "${var.name}-${each.key}-lease-losses"
  alarm_description   = "Agents of the runtime ${each.key} lose messages while they work on them: jobs run twice. ${var.runbooks}/lease-losses.md"
  namespace           = "Darkroom"
  metric_name         = "darkroom.lease.losses"
  dimensions          = { "darkroom.runtime" = each.key }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 3
  datapoints_to_alarm = 2 # a node that vanished loses its leases once, and that is no reason to get up
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_actions
  ok_actions          = var.alarm_actions
  tags                = var.tags
}
