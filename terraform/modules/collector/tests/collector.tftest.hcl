# The role of the telemetry collector: it writes traces and one log group.

mock_provider "aws" {
  source = "../../mocks/aws"
}

variables {
  name = "darkroom"
}

run "it_writes_traces_and_its_own_log_group" {
  assert {
    condition = { for statement in jsondecode(aws_iam_role_policy.this.policy).Statement : statement.Sid => [statement.Action, statement.Resource] } == {
      Metrics = [["logs:CreateLogStream", "logs:PutLogEvents"], "arn:aws:logs:eu-west-1:123456789012:log-group:/darkroom/darkroom/metrics:*"]
      Traces  = [["xray:PutTelemetryRecords", "xray:PutTraceSegments"], "*"]
    }
    error_message = aws_iam_role_policy.this.policy
  }

  assert {
    condition     = output.log_group == "/darkroom/darkroom/metrics" && aws_cloudwatch_log_group.metrics.retention_in_days == 7
    error_message = "what metrics were made of is kept for a week"
  }

  assert {
    condition     = length(aws_eks_pod_identity_association.this) == 0
    error_message = "without a pod there is no association"
  }
}

run "its_pod_gets_it_by_pod_identity" {
  variables {
    pod                = { cluster = "darkroom", namespace = "darkroom-system", service_account = "darkroom-collector" }
    log_retention_days = 30
    kms_key_arn        = "arn:aws:kms:eu-west-1:123456789012:key/0a1b2c3d-0000-4000-8000-000000000000"
  }

  assert {
    condition     = one(aws_eks_pod_identity_association.this).service_account == "darkroom-collector"
    error_message = "the service account has the role"
  }

  assert {
    condition     = aws_cloudwatch_log_group.metrics.retention_in_days == 30 && endswith(aws_cloudwatch_log_group.metrics.kms_key_id, "key/0a1b2c3d-0000-4000-8000-000000000000")
    error_message = "retention and key are taken"
  }
}

run "the_collector_of_logs_writes_the_pods_group_alone" {
  variables {
    logs_pod                = { cluster = "darkroom", namespace = "darkroom-system", service_account = "darkroom-logs" }
    pods_log_retention_days = 90
  }

  assert {
    condition = { for statement in jsondecode(aws_iam_role_policy.logs.policy).Statement : statement.Sid => [statement.Action, statement.Resource] } == {
      Logs = [["logs:CreateLogStream", "logs:PutLogEvents"], "arn:aws:logs:eu-west-1:123456789012:log-group:/darkroom/darkroom/pods:*"]
    }
    error_message = aws_iam_role_policy.logs.policy
  }

  assert {
    condition     = one(aws_eks_pod_identity_association.logs).service_account == "darkroom-logs" && output.pods_log_group == "/darkroom/darkroom/pods" && aws_cloudwatch_log_group.pods.retention_in_days == 90
    error_message = "the service account has the role, and the group its retention"
  }
}

run "a_retention_that_cloudwatch_does_not_know" {
  command = plan
  variables {
    pods_log_retention_days = 31
  }
  expect_failures = [var.pods_log_retention_days]
}
