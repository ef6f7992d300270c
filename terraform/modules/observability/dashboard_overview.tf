# What the overview shows: is it healthy, is it waiting, what does it cost, and the front door.

locals {
  queues = merge(
    { for name, runtime in var.runtimes : name => runtime.queue_name },
    { for name, runtime in var.runtimes : "${name}, bulk" => runtime.bulk_queue_name if runtime.bulk_queue_name != null },
  )
  apis  = var.api_name == null ? [] : [var.api_name]
  names = sort(keys(var.runtimes)) # their place in it makes a metric's id, for names have hyphens

  alarms = concat(
    [for alarm in aws_cloudwatch_metric_alarm.age : alarm.arn],
    [for alarm in aws_cloudwatch_metric_alarm.pods : alarm.arn],
    [for alarm in aws_cloudwatch_metric_alarm.failures : alarm.arn],
    [for alarm in aws_cloudwatch_metric_alarm.leases : alarm.arn],
    [for alarm in aws_cloudwatch_metric_alarm.dead_letters : alarm.arn],
    [for alarm in aws_cloudwatch_metric_alarm.functions : alarm.arn],
    [for alarm in aws_cloudwatch_metric_alarm.api : alarm.arn],
  )

  # The day's costs, summed since the last first of a month that the time range has seen.
  month = "RUNNING_SUM(day%d) - FILL(IF(DATE(day%d) == 1, RUNNING_SUM(day%d) - day%d), REPEAT)"

  overview = [
    {
      title = "Is it healthy?"
      panels = [
        { title = "Alarms", alarms = slice(local.alarms, 0, min(100, length(local.alarms))) }, # as many as a widget takes
        {
          title   = "Jobs that completed"
          stacked = true
          metrics = [for name in local.names : ["Darkroom", "darkroom.jobs", "darkroom.runtime", name, "state", "completed", { label = name }]]
        },
        {
          title = "Jobs that failed by the service's fault (%)"
          metrics = concat(
            [for index, name in local.names : ["Darkroom", "darkroom.jobs", "darkroom.runtime", name, "fault", "service", { id = "service${index}", visible = false }]],
            [for index, name in local.names : ["Darkroom", "darkroom.jobs", "darkroom.runtime", name, "state", "retried", { id = "retried${index}", visible = false }]],
            [for index, name in local.names : ["Darkroom", "darkroom.jobs", "darkroom.runtime", name, { id = "all${index}", visible = false }]],
            [for index, name in local.names : [{ expression = "100 * FILL(service${index}, 0) / (FILL(all${index}, 0) - FILL(retried${index}, 0))", id = "failed${index}", label = name }]],
          )
        },
        {
          title   = "Dead letters"
          stat    = "Maximum"
          period  = 60
          metrics = [for label, letters in local.dead_letters : ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", letters.queue, { label = label }]]
        },
        {
          title   = "Leases lost"
          metrics = [for name in local.names : ["Darkroom", "darkroom.lease.losses", "darkroom.runtime", name, { label = name }]]
        },
        {
          title   = "Artifacts"
          stacked = true
          metrics = [for name in local.names : ["Darkroom", "darkroom.artifacts", "darkroom.runtime", name, { label = name }]]
        },
      ]
    },
    {
      title = "Is it waiting?"
      panels = [
        {
          title   = "Jobs that wait"
          stat    = "Maximum"
          period  = 60
          metrics = [for label, queue in local.queues : ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", queue, { label = label }]]
        },
        {
          title   = "Age of the oldest job (seconds)"
          stat    = "Maximum"
          period  = 60
          metrics = [for label, queue in local.queues : ["AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", queue, { label = label }]]
        },
        {
          title   = "Jobs in work"
          stat    = "Maximum"
          period  = 60
          metrics = [for label, queue in local.queues : ["AWS/SQS", "ApproximateNumberOfMessagesNotVisible", "QueueName", queue, { label = label }]]
        },
        {
          title   = "Wait in the queue, on average (seconds)"
          stat    = "Average"
          metrics = [for name in local.names : ["Darkroom", "darkroom.stage.duration", "darkroom.runtime", name, "stage", "queued", { label = name }]]
        },
        {
          title   = "Pods at work" # each tells its utilization once a minute
          stat    = "SampleCount"
          period  = 60
          stacked = true
          metrics = [for name in local.names : ["Darkroom", "darkroom.runtime.utilization", "darkroom.runtime", name, { label = name }]]
        },
        {
          title   = "GPUs busy (share)"
          stat    = "Average"
          metrics = [for name in local.names : ["Darkroom", "darkroom.runtime.utilization", "darkroom.runtime", name, { label = name }]]
        },
      ]
    },
    {
      title = "What does it cost?"
      panels = [
        {
          title  = "This month (USD)"
          view   = "singleValue"
          period = 86400
          start  = "-P32D"
          end    = "P0D"
          metrics = concat(
            [for index, name in local.names : ["Darkroom", "darkroom.cost", "darkroom.runtime", name, { id = "cost${index}", visible = false }]],
            [for index, name in local.names : [{ expression = "FILL(cost${index}, 0)", id = "day${index}", visible = false }]],
            [for index, name in local.names : [{ expression = format(local.month, index, index, index, index), id = "month${index}", label = name }]],
          )
        },
        {
          title   = "Per hour (USD)"
          period  = 3600
          stacked = true
          metrics = [for name in local.names : ["Darkroom", "darkroom.cost", "darkroom.runtime", name, { label = name }]]
        },
        {
          title  = "Of an image (USD)"
          period = 3600
          metrics = concat(
            [for index, name in local.names : ["Darkroom", "darkroom.cost", "darkroom.runtime", name, { id = "cost${index}", visible = false }]],
            [for index, name in local.names : ["Darkroom", "darkroom.artifacts", "darkroom.runtime", name, { id = "images${index}", visible = false }]],
            [for index, name in local.names : [{ expression = "cost${index} / images${index}", id = "each${index}", label = name }]],
          )
        },
      ]
    },
    {
      title = "The front door"
      panels = [
        {
          title   = "API: requests, refused, failed"
          period  = 60
          metrics = concat([], [for api in local.apis : [for name in ["Count", "4XXError", "5XXError"] : ["AWS/ApiGateway", name, "ApiName", api]]]...)
        },
        {
          title   = "API: time to answer (ms, slowest of a hundred)"
          stat    = "p99"
          period  = 60
          metrics = [for api in local.apis : ["AWS/ApiGateway", "Latency", "ApiName", api]]
        },
        {
          title   = "Functions: errors and throttles"
          period  = 60
          metrics = concat([], [for label, name in var.functions : [for metric in ["Errors", "Throttles"] : ["AWS/Lambda", metric, "FunctionName", name, { label = "${label}: ${lower(metric)}" }]]]...)
        },
        {
          title   = "Functions: run (ms, slowest of a hundred)"
          stat    = "p99"
          period  = 60
          metrics = [for label, name in var.functions : ["AWS/Lambda", "Duration", "FunctionName", name, { label = label }]]
        },
      ]
    },
  ]
}
