# The role of KEDA's operator: it counts messages.

mock_provider "aws" {
  source = "../../mocks/aws"
}

variables {
  name       = "darkroom"
  queue_arns = ["arn:aws:sqs:eu-west-1:123456789012:darkroom-sdxl"]
}

run "it_counts_and_does_no_more" {
  assert {
    condition = jsondecode(aws_iam_role_policy.this.policy).Statement == [{
      Sid      = "CountJobs"
      Effect   = "Allow"
      Action   = "sqs:GetQueueAttributes"
      Resource = ["arn:aws:sqs:eu-west-1:123456789012:darkroom-sdxl"]
    }]
    error_message = aws_iam_role_policy.this.policy
  }
}

run "its_pod_gets_it_by_pod_identity" {
  variables {
    pod = { cluster = "darkroom", namespace = "darkroom-system", service_account = "keda-operator" }
  }

  assert {
    condition     = one(aws_eks_pod_identity_association.this).service_account == "keda-operator"
    error_message = "the service account has the role"
  }
}

run "no_queue" {
  command = plan
  variables {
    queue_arns = []
  }
  expect_failures = [var.queue_arns]
}

