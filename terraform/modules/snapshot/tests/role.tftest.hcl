# The role of the instance on which a snapshot is built.

mock_provider "aws" {
  source = "../../mocks/aws"
}

mock_provider "aws" {
  alias  = "china"
  source = "../../mocks/aws-cn"
}

variables {
  name            = "darkroom"
  repository_arns = ["arn:aws:ecr:eu-west-1:123456789012:repository/darkroom/comfyui"]
}

run "it_pulls_the_named_images_and_bottlerockets_own" {
  command = plan

  assert {
    condition = { for statement in jsondecode(aws_iam_role_policy.pull.policy).Statement : statement.Sid => flatten([statement.Action, statement.Resource]) } == {
      LogIn = ["ecr:GetAuthorizationToken", "*"]
      Pull  = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "arn:aws:ecr:eu-west-1:123456789012:repository/darkroom/comfyui"]

      PullBottlerocketsOwn = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "arn:aws:ecr:*:*:repository/bottlerocket-admin", "arn:aws:ecr:*:*:repository/bottlerocket-control"]
    }
    error_message = aws_iam_role_policy.pull.policy
  }
}

run "commands_reach_it_over_ssm" {
  command = plan

  assert {
    condition     = aws_iam_role_policy_attachment.ssm.policy_arn == "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"
    error_message = aws_iam_role_policy_attachment.ssm.policy_arn
  }
}

run "the_longest_name_stays_within_iams_limit" {
  command = plan

  variables {
    name = "a23456789012345678901234"
  }

  assert {
    condition     = length(aws_iam_role.this.name_prefix) <= 38 && length(aws_iam_instance_profile.this.name_prefix) <= 38
    error_message = "IAM appends 26 characters; a role's name has 64"
  }
}

run "who_builds_changes_only_what_a_build_made" {
  command = apply

  assert {
    condition = alltrue([
      for statement in jsondecode(aws_iam_policy.builder.policy).Statement : try(statement.Condition.Null["aws:ResourceTag/darkroom:snapshot-build"], "") == "false"
      if length(regexall("Delete|Stop|Terminate|Disable|Enable", jsonencode(statement.Action))) > 0
    ])
    error_message = aws_iam_policy.builder.policy
  }

  assert {
    condition     = one([for statement in jsondecode(aws_iam_policy.builder.policy).Statement : statement.Resource if statement.Action == "iam:PassRole"]) == aws_iam_role.this.arn
    error_message = aws_iam_policy.builder.policy
  }
}

run "china_has_its_own_partition_and_service" {
  command = plan

  providers = {
    aws = aws.china
  }

  assert {
    condition     = aws_iam_role_policy_attachment.ssm.policy_arn == "arn:aws-cn:iam::aws:policy/AmazonSSMManagedInstanceCore" && one(jsondecode(aws_iam_role.this.assume_role_policy).Statement).Principal.Service == "ec2.amazonaws.com.cn"
    error_message = "${aws_iam_role_policy_attachment.ssm.policy_arn} ${aws_iam_role.this.assume_role_policy}"
  }
}

run "no_images_are_refused" {
  command = plan
  variables {
    repository_arns = []
  }
  expect_failures = [var.repository_arns]
}

run "a_name_of_25_characters_is_refused" {
  command = plan
  variables {
    name = "a234567890123456789012345"
  }
  expect_failures = [var.name]
}
