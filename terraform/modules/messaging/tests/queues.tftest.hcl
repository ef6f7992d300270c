# Topics, queues and filters: what a runtime gets, and that it gets nothing of another.

mock_provider "aws" {
  source = "../../mocks/aws"
}

variables {
  name = "darkroom"
  runtimes = {
    sdxl  = { bulk = true, checkpoints = ["sharp.safetensors"] }
    turbo = {}
  }
}

run "a_runtime_has_a_queue_its_dead_letters_and_a_bulk_queue_by_choice" {
  assert {
    condition     = toset([for queue in aws_sqs_queue.this : queue.name]) == toset(["darkroom-sdxl", "darkroom-sdxl-bulk", "darkroom-turbo"])
    error_message = jsonencode([for queue in aws_sqs_queue.this : queue.name])
  }

  assert {
    condition     = toset([for queue in aws_sqs_queue.dead_letters : queue.name]) == toset(["darkroom-sdxl-dlq", "darkroom-turbo-dlq"])
    error_message = jsonencode([for queue in aws_sqs_queue.dead_letters : queue.name])
  }

  assert {
    condition     = [output.runtimes["turbo"].bulk_queue_url, output.runtimes["turbo"].bulk_queue_arn, output.runtimes["turbo"].dlq_name] == [null, null, "darkroom-turbo-dlq"]
    error_message = jsonencode(output.runtimes)
  }
}

run "filters_choose_the_queue" {
  assert {
    condition     = jsondecode(aws_sns_topic_subscription.this["turbo"].filter_policy) == { runtime = ["turbo"] }
    error_message = aws_sns_topic_subscription.this["turbo"].filter_policy
  }

  assert {
    condition     = jsondecode(aws_sns_topic_subscription.this["sdxl-bulk"].filter_policy) == { runtime = ["sdxl"], priority = ["bulk"] }
    error_message = aws_sns_topic_subscription.this["sdxl-bulk"].filter_policy
  }

  assert {
    condition = jsondecode(aws_sns_topic_subscription.this["sdxl"].filter_policy) == {
      "$or" = [
        { runtime = ["sdxl"], priority = [{ anything-but = ["bulk"] }, { exists = false }] },
        { sd_model_checkpoint = ["sharp.safetensors"] },
      ]
    }
    error_message = aws_sns_topic_subscription.this["sdxl"].filter_policy
  }
}

run "lease_attempts_and_retention_come_from_one_place" {
  variables {
    visibility_seconds = 120
    attempts           = 6
    retention_days     = 2
  }

  assert {
    condition = alltrue([for queue in aws_sqs_queue.this :
      queue.visibility_timeout_seconds == 120 && queue.message_retention_seconds == 172800 && jsondecode(queue.redrive_policy).maxReceiveCount == 7
    ])
    error_message = "a queue differs from what was set, or counts other than one delivery more than attempts"
  }

  assert {
    condition     = [output.visibility_seconds, output.attempts] == [120, 6]
    error_message = "the agent is told what the queues have"
  }

  assert {
    condition     = alltrue([for queue in aws_sqs_queue.dead_letters : queue.message_retention_seconds == 1209600])
    error_message = "dead letters stay 14 days"
  }
}

run "only_the_jobs_topic_sends_and_nobody_without_tls" {
  assert {
    condition = alltrue([for queue in concat(values(aws_sqs_queue.this), values(aws_sqs_queue.dead_letters)) : jsondecode(queue.policy).Statement == [
      {
        Sid       = "FromJobsTopic"
        Effect    = "Allow"
        Principal = { Service = "sns.amazonaws.com" }
        Action    = "sqs:SendMessage"
        Condition = { ArnEquals = { "aws:SourceArn" = "arn:aws:sns:eu-west-1:123456789012:darkroom-jobs" } }
        Resource  = "arn:aws:sqs:eu-west-1:123456789012:${queue.name}"
      },
      {
        Sid       = "TlsOnly"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sqs:*"
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
        Resource  = "arn:aws:sqs:eu-west-1:123456789012:${queue.name}"
      },
    ]])
    error_message = jsonencode([for queue in aws_sqs_queue.this : queue.policy])
  }

  assert {
    condition     = alltrue([for key, topic in aws_sns_topic.this : one(jsondecode(topic.policy).Statement).Resource == "arn:aws:sns:eu-west-1:123456789012:darkroom-${key}"])
    error_message = jsonencode([for topic in aws_sns_topic.this : topic.policy])
  }
}

run "dead_letters_take_from_their_own_queues_alone" {
  assert {
    condition = jsondecode(aws_sqs_queue.dead_letters["sdxl"].redrive_allow_policy).sourceQueueArns == [
      "arn:aws:sqs:eu-west-1:123456789012:darkroom-sdxl", "arn:aws:sqs:eu-west-1:123456789012:darkroom-sdxl-bulk",
    ]
    error_message = aws_sqs_queue.dead_letters["sdxl"].redrive_allow_policy
  }
}

run "sqs_encrypts_by_itself_and_topics_trace" {
  assert {
    condition     = alltrue([for queue in concat(values(aws_sqs_queue.this), values(aws_sqs_queue.dead_letters)) : queue.sqs_managed_sse_enabled])
    error_message = "a queue is not encrypted"
  }

  assert {
    condition     = alltrue([for topic in aws_sns_topic.this : topic.tracing_config == "Active" && topic.kms_master_key_id == null])
    error_message = "topics trace, and need no key"
  }
}

run "or_with_a_key_of_ones_own_without_traces" {
  variables {
    kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/00000000-0000-4000-8000-000000000000"
    tracing     = false
  }

  assert {
    condition     = alltrue([for made in concat(values(aws_sqs_queue.this), values(aws_sqs_queue.dead_letters), values(aws_sns_topic.this)) : made.kms_master_key_id == var.kms_key_arn])
    error_message = "the key encrypts queues and topics"
  }

  assert {
    condition     = alltrue([for topic in aws_sns_topic.this : topic.tracing_config == "PassThrough"])
    error_message = "traces are a choice"
  }
}

run "names_fit_at_their_longest" {
  variables {
    name     = "a23456789012345678901234"
    runtimes = { a2345678901234567890123456789012 = { bulk = true } }
  }

  assert {
    condition     = alltrue([for queue in concat(values(aws_sqs_queue.this), values(aws_sqs_queue.dead_letters)) : length(queue.name) <= 80])
    error_message = "SQS takes 80 characters"
  }
}

run "tags_tell_the_runtime" {
  variables {
    tags = { team = "images" }
  }

  assert {
    condition     = aws_sqs_queue.this["sdxl-bulk"].tags == tomap({ team = "images", "darkroom:runtime" = "sdxl" }) && aws_sns_topic.this["jobs"].tags == tomap({ team = "images" })
    error_message = "tags are missing"
  }
}
