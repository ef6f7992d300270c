# The jobs Lambda: what it is told, what it may, who calls it.

mock_provider "aws" {
  source = "../../mocks/aws"
}

variables {
  name              = "darkroom"
  function          = { lambda_zip = "./main.tf" }
  outputs_bucket    = "outputs"
  models_bucket     = "models"
  jobs_topic_arn    = "arn:aws:sns:eu-west-1:123456789012:darkroom-jobs"
  queue_url_prefix  = "https://sqs.eu-west-1.amazonaws.com/123456789012/darkroom-"
  api_execution_arn = "arn:aws:execute-api:eu-west-1:123456789012:abc"
  runtimes = {
    sdxl  = { type = "comfyui", bulk = true, job_seconds = 6 }
    turbo = { type = "sdwebui" }
  }
}

run "it_may_what_it_does_and_no_more" {
  assert {
    condition = { for statement in local.statements : statement.Sid => flatten([statement.Resource]) } == {
      ListBuckets               = ["arn:aws:s3:::outputs", "arn:aws:s3:::models"]
      ReadDocumentsAndArtifacts = ["arn:aws:s3:::outputs/*", "arn:aws:s3:::models/workflows/*"]
      WriteDocumentsAndInputs   = ["arn:aws:s3:::outputs/jobs/*", "arn:aws:s3:::outputs/inputs/*"]
      ClearOutbox               = ["arn:aws:s3:::outputs/jobs/outbox/*"]
      PublishJobs               = ["arn:aws:sns:eu-west-1:123456789012:darkroom-jobs"]
      CountJobs                 = [for name in ["sdxl", "sdxl-bulk", "turbo"] : "arn:aws:sqs:eu-west-1:123456789012:darkroom-${name}"]
      ReadAges                  = ["*"]
    }
    error_message = jsonencode(local.statements)
  }

  assert {
    condition     = alltrue(flatten([for statement in local.statements : [for action in flatten([statement.Action]) : !strcontains(action, "*")]]))
    error_message = "an action has a wildcard"
  }
}

run "the_api_and_the_schedule_call_it" {
  assert {
    condition     = [aws_lambda_permission.api.source_arn, aws_lambda_permission.api.principal] == ["arn:aws:execute-api:eu-west-1:123456789012:abc/*", "apigateway.amazonaws.com"]
    error_message = aws_lambda_permission.api.source_arn
  }

  assert {
    condition     = aws_cloudwatch_event_rule.sweep.schedule_expression == "rate(5 minutes)" && jsondecode(aws_cloudwatch_event_target.sweep.input) == { darkroom = "sweep" }
    error_message = "the outbox is swept every five minutes"
  }

  assert {
    condition     = [aws_lambda_permission.sweep.source_arn, aws_lambda_permission.sweep.principal] == [aws_cloudwatch_event_rule.sweep.arn, "events.amazonaws.com"]
    error_message = aws_lambda_permission.sweep.source_arn
  }
}

run "it_knows_where_webhooks_may_lead" {
  variables {
    webhook_policy = { WEBHOOK_ALLOWED_NETWORKS = "10.1.0.0/16", WEBHOOK_ALLOWED_PORTS = "9000" }
  }

  assert {
    condition     = [local.environment.WEBHOOK_ALLOWED_NETWORKS, local.environment.WEBHOOK_ALLOWED_PORTS, local.environment.S3_BUCKET] == ["10.1.0.0/16", "9000", "outputs"]
    error_message = jsonencode(local.environment)
  }
}

run "it_uses_keys_if_there_are_any" {
  variables {
    kms_key_arn        = "arn:aws:kms:eu-west-1:123456789012:key/00000000-0000-4000-8000-000000000000"
    models_kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/00000000-0000-4000-8000-000000000001"
  }

  assert {
    condition     = toset(one(local.keys).Resource) == toset([var.kms_key_arn, var.models_kms_key_arn])
    error_message = jsonencode(local.keys)
  }
}

run "no_runtime" {
  command = plan
  variables {
    runtimes = {}
  }
  expect_failures = [var.runtimes]
}

