# Alarms, dashboard and traces.

mock_provider "aws" {
  source = "../../mocks/aws"
}

variables {
  name = "darkroom"
  runtimes = {
    sdxl  = { queue_name = "darkroom-sdxl", dlq_name = "darkroom-sdxl-dlq", max_age_seconds = 900, cold_start_seconds = 240 }
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
    condition = toset(output.alarm_names) == toset([
      "darkroom-sdxl-age", "darkroom-sdxl-no-pod", "darkroom-sdxl-dead-letters", "darkroom-turbo-dead-letters", "darkroom-webhooks-dead-letters",
      "darkroom-sdxl-failures", "darkroom-turbo-failures", "darkroom-sdxl-lease-losses", "darkroom-turbo-lease-losses",
      "darkroom-jobs-errors", "darkroom-webhooks-errors", "darkroom-jobs-throttles", "darkroom-webhooks-throttles", "darkroom-api-errors",
    ])
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
    condition     = toset(keys(aws_cloudwatch_dashboard.this)) == toset(["darkroom", "darkroom-sdxl", "darkroom-turbo"])
    error_message = jsonencode(keys(aws_cloudwatch_dashboard.this))
  }

  assert {
    condition = { for widget in jsondecode(aws_cloudwatch_dashboard.this["darkroom"].dashboard_body).widgets : widget.properties.title => [for metric in widget.properties.metrics : "${metric[1]} ${metric[3]}"]
      if can(widget.properties.metrics[0][3]) && try(startswith(widget.properties.metrics[0][0], "AWS/"), false) } == {
      "Jobs that wait"                                 = [for name in ["sdxl", "sdxl-bulk", "turbo"] : "ApproximateNumberOfMessagesVisible darkroom-${name}"]
      "Age of the oldest job (seconds)"                = [for name in ["sdxl", "sdxl-bulk", "turbo"] : "ApproximateAgeOfOldestMessage darkroom-${name}"]
      "Jobs in work"                                   = [for name in ["sdxl", "sdxl-bulk", "turbo"] : "ApproximateNumberOfMessagesNotVisible darkroom-${name}"]
      "Dead letters"                                   = [for name in ["sdxl", "turbo", "webhooks"] : "ApproximateNumberOfMessagesVisible darkroom-${name}-dlq"]
      "API: requests, refused, failed"                 = ["Count darkroom", "4XXError darkroom", "5XXError darkroom"]
      "API: time to answer (ms, slowest of a hundred)" = ["Latency darkroom"]
      "Functions: errors and throttles"                = ["Errors darkroom-jobs", "Throttles darkroom-jobs"]
      "Functions: run (ms, slowest of a hundred)"      = ["Duration darkroom-jobs"]
    }
    error_message = aws_cloudwatch_dashboard.this["darkroom"].dashboard_body
  }

  assert {
    condition = alltrue([for dashboard in aws_cloudwatch_dashboard.this : alltrue([for widget in jsondecode(dashboard.dashboard_body).widgets :
    length([for other in jsondecode(dashboard.dashboard_body).widgets : other if other.y < widget.y + widget.height && widget.y < other.y + other.height && other.x < widget.x + widget.width && widget.x < other.x + other.width]) == 1])])
    error_message = "no widget covers another"
  }

  assert {
    condition     = length(jsondecode(aws_cloudwatch_dashboard.this["darkroom"].dashboard_body).widgets[1].properties.alarms) == length(output.alarm_names)
    error_message = "the overview begins with all alarms"
  }
}

run "no_dashboard_by_choice_and_no_empty_section" {
  variables {
    dashboard = false
  }

  assert {
    condition     = output.dashboard_name == null && toset(keys(aws_cloudwatch_dashboard.this)) == toset(["darkroom-sdxl", "darkroom-turbo"])
    error_message = "the runtimes' stay"
  }
}

run "the_overview_alone_by_choice" {
  variables {
    runtime_dashboards = false
  }

  assert {
    condition     = keys(aws_cloudwatch_dashboard.this) == ["darkroom"] && output.dashboard_name == "darkroom"
    error_message = jsonencode(keys(aws_cloudwatch_dashboard.this))
  }

  assert {
    condition     = [for widget in jsondecode(aws_cloudwatch_dashboard.this["darkroom"].dashboard_body).widgets : widget.properties.markdown if widget.type == "text"] == ["## Is it healthy?", "## Is it waiting?", "## What does it cost?"]
    error_message = "without an API and functions there is no front door"
  }
}

run "every_alarm_says_where_its_page_is" {
  variables {
    runbooks      = "https://wiki.example.com/darkroom"
    functions     = { jobs = "darkroom-jobs" }
    alarm_actions = ["arn:aws:sns:eu-west-1:123456789012:on-call"]
  }

  assert {
    condition = alltrue([for alarm in concat(values(aws_cloudwatch_metric_alarm.age), values(aws_cloudwatch_metric_alarm.pods), values(aws_cloudwatch_metric_alarm.failures), values(aws_cloudwatch_metric_alarm.leases), values(aws_cloudwatch_metric_alarm.dead_letters), values(aws_cloudwatch_metric_alarm.functions)) :
    can(regex(" https://wiki.example.com/darkroom/[a-z-]+.md$", alarm.alarm_description)) && alarm.alarm_actions == toset(var.alarm_actions) && alarm.treat_missing_data == "notBreaching"])
    error_message = "its description ends with the page, and it tells whom it should"
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


run "more_failures_than_there_are" {
  command = plan
  variables {
    failure_percent = 100
  }
  expect_failures = [var.failure_percent]
}

run "a_place_of_pages_that_cannot_be" {
  command = plan
  variables {
    runbooks = "https://wiki.example.com/our pages/"
  }
  expect_failures = [var.runbooks]
}
