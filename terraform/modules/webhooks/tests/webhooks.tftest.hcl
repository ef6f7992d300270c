# Webhooks: the queue, its filter, and the function that reads it.

mock_provider "aws" {
  source = "../../mocks/aws"
}

variables {
  name              = "darkroom"
  function          = { lambda_zip = "./main.tf" }
  results_topic_arn = "arn:aws:sns:eu-west-1:123456789012:darkroom-results"
  outputs_bucket    = "outputs"
}

run "only_notifications_with_a_webhook_come_in" {
  assert {
    condition     = jsondecode(aws_sns_topic_subscription.this.filter_policy) == { webhook = ["true"] }
    error_message = aws_sns_topic_subscription.this.filter_policy
  }

  assert {
    condition     = [for statement in jsondecode(aws_sqs_queue.this.policy).Statement : statement.Sid] == ["FromResultsTopic", "TlsOnly"]
    error_message = aws_sqs_queue.this.policy
  }
}

run "the_function_takes_batches_and_returns_what_failed" {
  assert {
    condition     = aws_lambda_event_source_mapping.queue.batch_size == 10 && aws_lambda_event_source_mapping.queue.function_response_types == toset(["ReportBatchItemFailures"])
    error_message = jsonencode(aws_lambda_event_source_mapping.queue)
  }

  assert {
    condition     = one(aws_lambda_event_source_mapping.queue.scaling_config).maximum_concurrency == 10 && aws_sqs_queue.this.visibility_timeout_seconds == 180
    error_message = "concurrency is bounded, and a batch is not handed out while it is worked on"
  }

  assert {
    condition     = jsondecode(aws_sqs_queue.this.redrive_policy).maxReceiveCount == 16 && aws_sqs_queue.dead_letters.name == "darkroom-webhooks-dlq"
    error_message = aws_sqs_queue.this.redrive_policy
  }
}

run "where_they_may_lead_is_told_to_whoever_asks" {
  variables {
    allowed_networks = ["10.1.0.0/16", "10.2.0.0/16"]
    allowed_ports    = [3000, 9000]
  }

  assert {
    condition     = output.policy == { WEBHOOK_ALLOWED_NETWORKS = "10.1.0.0/16,10.2.0.0/16", WEBHOOK_ALLOWED_PORTS = "3000,9000" }
    error_message = jsonencode(output.policy)
  }
}

run "it_may_what_it_does_and_no_more" {
  assert {
    condition = { for statement in local.statements : statement.Sid => statement.Resource } == {
      TakeNotifications         = "arn:aws:sqs:eu-west-1:123456789012:darkroom-webhooks"
      FindDocuments             = "arn:aws:s3:::outputs"
      ReadDocumentsAndArtifacts = "arn:aws:s3:::outputs/*"
      ReadSecrets               = "arn:aws:ssm:eu-west-1:123456789012:parameter/darkroom/webhooks/*"
    }
    error_message = jsonencode(local.statements)
  }

  assert {
    condition     = alltrue(flatten([for statement in local.statements : [for action in flatten([statement.Action]) : !strcontains(action, "*")]]))
    error_message = "an action has a wildcard"
  }

  assert {
    condition     = output.secrets_path == "/darkroom/webhooks/"
    error_message = output.secrets_path
  }
}

run "a_key_of_ones_own_encrypts_the_queues" {
  variables {
    kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/00000000-0000-4000-8000-000000000000"
  }

  assert {
    condition     = [aws_sqs_queue.this.kms_master_key_id, aws_sqs_queue.dead_letters.kms_master_key_id, one(local.keys).Resource] == [var.kms_key_arn, var.kms_key_arn, var.kms_key_arn]
    error_message = jsonencode(local.keys)
  }
}

run "no_attempt" {
  command = plan
  variables {
    attempts = 0
  }
  expect_failures = [var.attempts]
}

run "one_at_once" {
  command = plan
  variables {
    max_concurrency = 1
  }
  expect_failures = [var.max_concurrency]
}

run "more_at_once_than_is_reserved" {
  command = plan
  variables {
    max_concurrency = 10
    function        = { lambda_zip = "./main.tf", reserved_concurrency = 5 }
  }
  expect_failures = [var.max_concurrency]
}

run "an_address_that_is_no_network" {
  command = plan
  variables {
    allowed_networks = ["10.1.0.1"]
  }
  expect_failures = [var.allowed_networks]
}

run "a_port_that_is_none" {
  command = plan
  variables {
    allowed_ports = [70000]
  }
  expect_failures = [var.allowed_ports]
}
