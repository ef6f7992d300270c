# In China ARNs are China's.

mock_provider "aws" {
  source = "../../mocks/aws-cn"
}

variables {
  name              = "darkroom"
  artifact_prefixes = ["sdxl"]
}

run "policies_are_of_their_partition" {
  assert {
    condition     = alltrue([for policy in aws_s3_bucket_policy.this : strcontains(policy.policy, "arn:aws-cn:s3:::") && !strcontains(policy.policy, "arn:aws:")])
    error_message = jsonencode([for policy in aws_s3_bucket_policy.this : policy.policy])
  }

  assert {
    condition     = startswith(output.models_bucket_arn, "arn:aws-cn:s3:::")
    error_message = output.models_bucket_arn
  }
}
