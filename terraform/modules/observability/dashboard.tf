# The dashboard: what waits and for how long, what could not be done, how API and functions do.

locals {
  queues = merge(
    { for name, runtime in var.runtimes : name => runtime.queue_name },
    { for name, runtime in var.runtimes : "${name}, bulk" => runtime.bulk_queue_name if runtime.bulk_queue_name != null },
  )
  dlqs = { for name, queue in local.dead_letters : name => queue.queue }
  apis = var.api_name == null ? [] : [var.api_name]

  # Two panels a row; one that has nothing to show is left out.
  panels = [for panel in [
    {
      title   = "Jobs that wait"
      stat    = "Maximum"
      metrics = [for label, queue in local.queues : ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", queue, { label = label }]]
    },
    {
      title   = "Age of the oldest job that waits (seconds)"
      stat    = "Maximum"
      metrics = [for label, queue in local.queues : ["AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", queue, { label = label }]]
    },
    {
      title   = "Jobs in work"
      stat    = "Maximum"
      metrics = [for label, queue in local.queues : ["AWS/SQS", "ApproximateNumberOfMessagesNotVisible", "QueueName", queue, { label = label }]]
    },
    {
      title   = "Dead letters"
      stat    = "Maximum"
      metrics = [for label, queue in local.dlqs : ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", queue, { label = label }]]
    },
    {
      title   = "API: requests, refused, failed"
      stat    = "Sum"
      metrics = flatten([for api in local.apis : [for name in ["Count", "4XXError", "5XXError"] : { line = ["AWS/ApiGateway", name, "ApiName", api] }]])[*].line
    },
    {
      title   = "API: time to answer (ms, slowest of a hundred)"
      stat    = "p99"
      metrics = [for api in local.apis : ["AWS/ApiGateway", "Latency", "ApiName", api]]
    },
    {
      title   = "Functions: errors and throttles"
      stat    = "Sum"
      metrics = flatten([for label, name in var.functions : [for metric in ["Errors", "Throttles"] : { line = ["AWS/Lambda", metric, "FunctionName", name, { label = "${label}: ${lower(metric)}" }] }]])[*].line
    },
    {
      title   = "Functions: run (ms, slowest of a hundred)"
      stat    = "p99"
      metrics = [for label, name in var.functions : ["AWS/Lambda", "Duration", "FunctionName", name, { label = label }]]
    },
  ] : panel if length(panel.metrics) > 0]
}

resource "aws_cloudwatch_dashboard" "this" {
  count = var.dashboard ? 1 : 0

  dashboard_name = var.name
  dashboard_body = jsonencode({
    widgets = [for index, panel in local.panels : {
      type   = "metric"
      x      = index % 2 * 12
      y      = floor(index / 2) * 6
      width  = 12
      height = 6
      properties = {
        title   = panel.title
        region  = data.aws_region.current.id
        view    = "timeSeries"
        period  = 60
        stat    = panel.stat
        metrics = panel.metrics
      }
    }]
  })
}
