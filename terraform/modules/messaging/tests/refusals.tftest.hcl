# What is refused at plan.

mock_provider "aws" {
  source = "../../mocks/aws"
}

variables {
  name     = "darkroom"
  runtimes = { sdxl = {} }
}

run "a_name_of_25_characters" {
  command = plan
  variables {
    name = "a234567890123456789012345"
  }
  expect_failures = [var.name]
}

run "a_runtime_of_33_characters" {
  command = plan
  variables {
    runtimes = { a23456789012345678901234567890123 = {} }
  }
  expect_failures = [var.runtimes]
}

run "a_runtime_with_a_dot" {
  command = plan
  variables {
    runtimes = { "sdxl.turbo" = {} }
  }
  expect_failures = [var.runtimes]
}

run "a_runtime_called_as_a_bulk_queue" {
  command = plan
  variables {
    runtimes = { sdxl = {}, sdxl-bulk = {} }
  }
  expect_failures = [var.runtimes]
}

run "a_runtime_called_as_another_queue" {
  command = plan
  variables {
    runtimes = { webhooks = {} }
  }
  expect_failures = [var.runtimes]
}

run "a_checkpoint_of_two_runtimes" {
  command = plan
  variables {
    runtimes = { a = { checkpoints = ["x"] }, b = { checkpoints = ["x"] } }
  }
  expect_failures = [var.runtimes]
}

run "a_lease_of_five_seconds" {
  command = plan
  variables {
    visibility_seconds = 5
  }
  expect_failures = [var.visibility_seconds]
}

run "no_attempt" {
  command = plan
  variables {
    attempts = 0
  }
  expect_failures = [var.attempts]
}

run "a_queue_that_outlives_its_dead_letters" {
  command = plan
  variables {
    retention_days = 14
  }
  expect_failures = [var.retention_days]
}

run "a_key_by_its_alias" {
  command = plan
  variables {
    kms_key_arn = "alias/queues"
  }
  expect_failures = [var.kms_key_arn]
}

