# In China every ARN and every service's name is China's.

mock_provider "aws" {
  source = "../../mocks/aws-cn"
}

variables {
  name                      = "darkroom"
  cluster_security_group_id = "sg-0123456789abcdef0"
  volume_kms_key_arns       = ["arn:aws-cn:kms:cn-north-1:210987654321:key/00000000-0000-4000-8000-000000000000"]
}

run "every_arn_is_of_its_partition_and_region" {
  assert {
    condition     = length(regexall("arn:aws:|eu-west-1|us-east-1", join(" ", [for policy in aws_iam_policy.controller : policy.policy]))) == 0
    error_message = jsonencode([for policy in aws_iam_policy.controller : policy.policy])
  }

  assert {
    condition     = alltrue([for attachment in aws_iam_role_policy_attachment.node : startswith(attachment.policy_arn, "arn:aws-cn:iam::aws:policy/")])
    error_message = "AWS's own policies have the partition too"
  }
}

run "ec2_has_its_chinese_name" {
  assert {
    condition     = one(jsondecode(aws_iam_role.node.assume_role_policy).Statement).Principal.Service == "ec2.amazonaws.com.cn"
    error_message = aws_iam_role.node.assume_role_policy
  }

  assert {
    condition     = strcontains(aws_iam_policy.controller["launch"].policy, "\"ec2.cn-north-1.amazonaws.com.cn\"")
    error_message = aws_iam_policy.controller["launch"].policy
  }

  assert {
    condition     = strcontains(aws_iam_policy.controller["profiles"].policy, "\"iam:PassedToService\":[\"ec2.amazonaws.com\",\"ec2.amazonaws.com.cn\"]")
    error_message = aws_iam_policy.controller["profiles"].policy
  }
}
