# A function: its role, its logs, its bounds.

mock_provider "aws" {
  source = "../../mocks/aws"
}

variables {
  name        = "darkroom-jobs"
  description = "Jobs"
  handler     = "darkroom_api.jobs.handler"
  lambda_zip  = "./main.tf"
  statements  = "[]"
}

run "it_runs_python_on_arm_and_traces" {
  assert {
    condition     = [aws_lambda_function.this.runtime, one(aws_lambda_function.this.architectures), one(aws_lambda_function.this.tracing_config).mode, aws_lambda_function.this.reserved_concurrent_executions] == ["python3.13", "arm64", "Active", -1]
    error_message = jsonencode(aws_lambda_function.this)
  }
}

run "it_may_log_trace_and_what_its_duty_needs" {
  variables {
    statements = "[{\"Sid\":\"Duty\",\"Effect\":\"Allow\",\"Action\":\"sns:Publish\",\"Resource\":\"arn:aws:sns:eu-west-1:123456789012:jobs\"}]"
  }

  assert {
    condition     = [for statement in jsondecode(aws_iam_role_policy.this.policy).Statement : statement.Sid] == ["Duty", "Log", "Trace"]
    error_message = aws_iam_role_policy.this.policy
  }

  assert {
    condition     = jsondecode(aws_iam_role_policy.this.policy).Statement[1].Resource == "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/darkroom-jobs:*"
    error_message = aws_iam_role_policy.this.policy
  }
}

run "bounds_and_logs_are_as_chosen" {
  variables {
    reserved_concurrency = 5
    memory_mib           = 1769
    timeout_seconds      = 60
    log_level            = "warning"
    log_retention_days   = 7
    tracing              = false
  }

  assert {
    condition     = [aws_lambda_function.this.reserved_concurrent_executions, aws_lambda_function.this.memory_size, aws_lambda_function.this.timeout, aws_cloudwatch_log_group.this.retention_in_days] == [5, 1769, 60, 7]
    error_message = jsonencode(aws_lambda_function.this)
  }

  assert {
    condition     = one(aws_lambda_function.this.logging_config).application_log_level == "WARN" && !strcontains(aws_iam_role_policy.this.policy, "xray")
    error_message = aws_iam_role_policy.this.policy
  }
}

run "more_environment_than_lambda_takes" {
  command = plan
  variables {
    environment = { RUNTIMES = join("", [for _ in range(400) : "0123456789"]) }
  }
  expect_failures = [aws_lambda_function.this]
}

run "a_name_with_a_slash" {
  command = plan
  variables {
    name = "darkroom/jobs"
  }
  expect_failures = [var.name]
}

run "too_little_memory" {
  command = plan
  variables {
    memory_mib = 128
  }
  expect_failures = [var.memory_mib]
}

run "no_instance_at_all" {
  command = plan
  variables {
    reserved_concurrency = 0
  }
  expect_failures = [var.reserved_concurrency]
}

run "a_level_that_is_none" {
  command = plan
  variables {
    log_level = "loud"
  }
  expect_failures = [var.log_level]
}

run "a_retention_that_cloudwatch_lacks" {
  command = plan
  variables {
    log_retention_days = 10
  }
  expect_failures = [var.log_retention_days]
}


run "a_zip_that_was_not_built" {
  command = plan
  variables {
    lambda_zip = "./dist/lambda.zip"
  }
  expect_failures = [var.lambda_zip]
}
