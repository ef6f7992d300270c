# Alarms, dashboard and traces.

mock_provider "aws" {
  source = "../../mocks/aws"
}

variables {
  name = "darkroom"
  runtimes = {
    sdxl  = { queue_name = "darkroom-sdxl", dlq_name = "darkroom-sdxl-dlq", max_age_seconds = 900 }
    turbo = { queue_name = "darkroom-turbo", dlq_name = "darkroom-turbo-dlq" }
  }
}

run "dead_letters_are_told_and_age_by_choice" {
  variables {
    webhooks_dlq_name = "darkroom-webhooks-dlq"
    api_name          = "darkroom"
    functions         = { jobs = "darkroom-jobs", webhooks = "darkroom-webhooks" }
    alarm_actions     = ["arn:aws:sns:eu-west-1:123456789012:on-call"]
  }

  assert {
    condition     = toset(output.alarm_names) == toset(["darkroom-sdxl-age", "darkroom-sdxl-dead-letters", "darkroom-turbo-dead-letters", "darkroom-webhooks-dead-letters", "darkroom-jobs-errors", "darkroom-webhooks-errors", "darkroom-api-errors"])
    error_message = jsonencode(output.alarm_names)
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.age["sdxl"].threshold == 900 && aws_cloudwatch_metric_alarm.age["sdxl"].dimensions == tomap({ QueueName = "darkroom-sdxl" })
    error_message = jsonencode(aws_cloudwatch_metric_alarm.age)
  }

  assert {
    condition     = alltrue([for alarm in aws_cloudwatch_metric_alarm.dead_letters : alarm.alarm_actions == toset(var.alarm_actions) && endswith(alarm.dimensions.QueueName, "-dlq")])
    error_message = jsonencode(aws_cloudwatch_metric_alarm.dead_letters)
  }
}

run "the_dashboard_shows_every_queue_function_and_the_api" {
  variables {
    webhooks_dlq_name = "darkroom-webhooks-dlq"
    api_name          = "darkroom"
    functions         = { jobs = "darkroom-jobs" }
    runtimes = {
      sdxl  = { queue_name = "darkroom-sdxl", bulk_queue_name = "darkroom-sdxl-bulk", dlq_name = "darkroom-sdxl-dlq" }
      turbo = { queue_name = "darkroom-turbo", dlq_name = "darkroom-turbo-dlq" }
    }
  }

  assert {
    condition = { for widget in jsondecode(one(aws_cloudwatch_dashboard.this).dashboard_body).widgets : widget.properties.title => [for metric in widget.properties.metrics : "${metric[1]} ${metric[3]}"] } == {
      "Jobs that wait"                                 = [for name in ["sdxl", "sdxl-bulk", "turbo"] : "ApproximateNumberOfMessagesVisible darkroom-${name}"]
      "Age of the oldest job that waits (seconds)"     = [for name in ["sdxl", "sdxl-bulk", "turbo"] : "ApproximateAgeOfOldestMessage darkroom-${name}"]
      "Jobs in work"                                   = [for name in ["sdxl", "sdxl-bulk", "turbo"] : "ApproximateNumberOfMessagesNotVisible darkroom-${name}"]
      "Dead letters"                                   = [for name in ["sdxl", "turbo", "webhooks"] : "ApproximateNumberOfMessagesVisible darkroom-${name}-dlq"]
      "API: requests, refused, failed"                 = ["Count darkroom", "4XXError darkroom", "5XXError darkroom"]
      "API: time to answer (ms, slowest of a hundred)" = ["Latency darkroom"]
      "Functions: errors and throttles"                = ["Errors darkroom-jobs", "Throttles darkroom-jobs"]
      "Functions: run (ms, slowest of a hundred)"      = ["Duration darkroom-jobs"]
    }
    error_message = one(aws_cloudwatch_dashboard.this).dashboard_body
  }

  assert {
    condition     = [for widget in jsondecode(one(aws_cloudwatch_dashboard.this).dashboard_body).widgets : [widget.x, widget.y]] == [for n in range(8) : [n % 2 * 12, floor(n / 2) * 6]]
    error_message = "two panels a row, none on another"
  }
}

run "no_dashboard_by_choice_and_no_empty_panel" {
  variables {
    dashboard = false
  }

  assert {
    condition     = output.dashboard_name == null && length(local.panels) == 4
    error_message = "without an API and functions there are four panels"
  }
}

run "traces_are_sampled_and_sns_may_write_its_part" {
  variables {
    sampling_rate = 0.5
  }

  assert {
    condition     = one(aws_xray_sampling_rule.this).fixed_rate == 0.5 && length(one(aws_xray_group.failed).filter_expression) > 0
    error_message = "the share that is recorded is as chosen"
  }

  assert {
    condition     = one(jsondecode(one(aws_xray_resource_policy.sns).policy_document).Statement).Condition.StringEquals == { "aws:SourceAccount" = "123456789012" }
    error_message = one(aws_xray_resource_policy.sns).policy_document
  }
}

run "no_traces_by_choice" {
  variables {
    tracing = false
  }

  assert {
    condition     = length(aws_xray_sampling_rule.this) + length(aws_xray_group.failed) + length(aws_xray_resource_policy.sns) == 0
    error_message = "nothing of X-Ray is made"
  }
}

run "a_rules_name_fits_at_its_longest" {
  variables {
    name = "a23456789012345678901234"
  }

  assert {
    condition     = length(one(aws_xray_sampling_rule.this).rule_name) <= 32
    error_message = "X-Ray takes 32 characters"
  }
}

run "an_age_that_is_not_measured" {
  command = plan
  variables {
    runtimes = { sdxl = { queue_name = "q", dlq_name = "d", max_age_seconds = 5 } }
  }
  expect_failures = [var.runtimes]
}

run "six_actions" {
  command = plan
  variables {
    alarm_actions = [for n in range(6) : "arn:aws:sns:eu-west-1:123456789012:t${n}"]
  }
  expect_failures = [var.alarm_actions]
}

run "more_than_all" {
  command = plan
  variables {
    sampling_rate = 2
  }
  expect_failures = [var.sampling_rate]
}

