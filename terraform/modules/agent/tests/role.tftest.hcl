# The role of an agent: its own queues, the topic, the bucket, and no more.

mock_provider "aws" {
  source = "../../mocks/aws"
}

variables {
  name               = "darkroom"
  runtime            = "sdxl"
  queue_arns         = ["arn:aws:sqs:eu-west-1:123456789012:darkroom-sdxl"]
  results_topic_arn  = "arn:aws:sns:eu-west-1:123456789012:darkroom-results"
  outputs_bucket_arn = "arn:aws:s3:::outputs"
}

run "it_may_what_it_does_and_no_more" {
  assert {
    condition = { for statement in jsondecode(aws_iam_role_policy.this.policy).Statement : statement.Sid => flatten([statement.Resource]) } == {
      TakeJobs                   = ["arn:aws:sqs:eu-west-1:123456789012:darkroom-sdxl"]
      TryItself                  = ["arn:aws:sqs:eu-west-1:123456789012:darkroom-sdxl"]
      TellResults                = ["arn:aws:sns:eu-west-1:123456789012:darkroom-results"]
      FindDocuments              = ["arn:aws:s3:::outputs"]
      ReadInputsAndDocuments     = ["arn:aws:s3:::outputs/*"]
      WriteArtifactsAndDocuments = ["arn:aws:s3:::outputs/jobs/*", "arn:aws:s3:::outputs/*"]
      RemoveLeftovers            = ["arn:aws:s3:::outputs/*"]
      KeepDocuments              = ["arn:aws:s3:::outputs/jobs/*.json", "arn:aws:s3:::outputs/inputs/*"]
    }
    error_message = aws_iam_role_policy.this.policy
  }

  assert {
    condition     = alltrue([for statement in jsondecode(aws_iam_role_policy.this.policy).Statement : alltrue([for action in flatten([statement.Action]) : !strcontains(action, "*")])])
    error_message = "an action has a wildcard"
  }
}

run "prefixes_bound_where_it_writes" {
  variables {
    prefixes = ["sdxl", "customers/acme"]
  }

  assert {
    condition = { for statement in jsondecode(aws_iam_role_policy.this.policy).Statement : statement.Sid => statement.Resource if contains(["WriteArtifactsAndDocuments", "RemoveLeftovers"], statement.Sid) } == {
      WriteArtifactsAndDocuments = ["arn:aws:s3:::outputs/jobs/*", "arn:aws:s3:::outputs/sdxl/*", "arn:aws:s3:::outputs/customers/acme/*"]
      RemoveLeftovers            = ["arn:aws:s3:::outputs/jobs/*.cancel", "arn:aws:s3:::outputs/sdxl/*", "arn:aws:s3:::outputs/customers/acme/*"]
    }
    error_message = aws_iam_role_policy.this.policy
  }
}

run "other_buckets_and_keys_by_choice" {
  variables {
    input_bucket_arns = ["arn:aws:s3:::photos"]
    kms_key_arns      = ["arn:aws:kms:eu-west-1:123456789012:key/00000000-0000-4000-8000-000000000000"]
  }

  assert {
    condition     = strcontains(aws_iam_role_policy.this.policy, "\"arn:aws:s3:::photos/*\"") && strcontains(aws_iam_role_policy.this.policy, "\"kms:GenerateDataKey\"")
    error_message = aws_iam_role_policy.this.policy
  }
}

run "pods_get_it_by_pod_identity" {
  variables {
    pod = { cluster = "darkroom", namespace = "darkroom", service_account = "sdxl" }
  }

  assert {
    condition     = one(aws_eks_pod_identity_association.this).service_account == "sdxl" && one(jsondecode(aws_iam_role.this.assume_role_policy).Statement).Principal.Service == "pods.eks.amazonaws.com"
    error_message = "the service account has the role"
  }
}

run "long_names_are_cut" {
  variables {
    name    = "a23456789012345678901234"
    runtime = "a2345678901234567890123456789012"
  }

  assert {
    condition     = length(aws_iam_role.this.name_prefix) <= 38 && aws_iam_role.this.tags["darkroom:runtime"] == "a2345678901234567890123456789012"
    error_message = aws_iam_role.this.name_prefix
  }
}

run "no_queue" {
  command = plan
  variables {
    queue_arns = []
  }
  expect_failures = [var.queue_arns]
}

run "a_prefix_with_a_slash_at_its_end" {
  command = plan
  variables {
    prefixes = ["sdxl/"]
  }
  expect_failures = [var.prefixes]
}

run "no_prefix_at_all" {
  command = plan
  variables {
    prefixes = []
  }
  expect_failures = [var.prefixes]
}

run "an_input_bucket_by_its_name" {
  command = plan
  variables {
    input_bucket_arns = ["photos"]
  }
  expect_failures = [var.input_bucket_arns]
}

