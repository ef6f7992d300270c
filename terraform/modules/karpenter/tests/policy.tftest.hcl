# What the controller may do: no more than its own instances, profiles and queue.

mock_provider "aws" {
  source = "../../mocks/aws"
}

override_resource {
  target = aws_iam_role.node
  values = { arn = "arn:aws:iam::123456789012:role/darkroom-node" }
}

variables {
  name                      = "darkroom"
  cluster_security_group_id = "sg-0123456789abcdef0"
}

run "no_action_has_a_wildcard" {
  assert {
    condition = alltrue(flatten([for policy in aws_iam_policy.controller : [
      for statement in jsondecode(policy.policy).Statement : [for action in flatten([statement.Action]) : !strcontains(action, "*")]
    ]]))
    error_message = jsonencode([for policy in aws_iam_policy.controller : policy.policy])
  }
}

run "only_what_aws_cannot_narrow_is_allowed_on_everything" {
  assert {
    condition = toset(flatten([for policy in aws_iam_policy.controller : [
      for statement in jsondecode(policy.policy).Statement : statement.Sid if contains(flatten([statement.Resource]), "*")
    ]])) == toset(["ListProfiles", "ReadThisRegion", "ReadPrices"])
    error_message = "another statement is allowed on every resource"
  }
}

run "every_change_is_bound_to_the_cluster" {
  assert {
    condition = alltrue(flatten([for policy in aws_iam_policy.controller : [
      for statement in jsondecode(policy.policy).Statement : strcontains(jsonencode(statement.Condition), "kubernetes.io/cluster/darkroom") && strcontains(jsonencode(statement.Condition), "owned")
      if length(regexall("(Terminate|Delete(Launch|Instance)|CreateInstanceProfile|AddRole|CreateLaunchTemplate|CreateTags)", jsonencode(statement.Action))) > 0
    ]]))
    error_message = "a statement that changes or removes things has no condition on the cluster's tag"
  }
}

run "policies_stay_within_the_limit_of_a_managed_policy" {
  variables {
    name = "a23456789012345678901234"
  }

  assert {
    condition     = alltrue([for policy in aws_iam_policy.controller : length(policy.policy) <= 6144])
    error_message = jsonencode({ for key, policy in aws_iam_policy.controller : key => length(policy.policy) })
  }
}

run "it_passes_the_nodes_role_to_ec2_alone" {
  assert {
    condition = one([for statement in jsondecode(aws_iam_policy.controller["profiles"].policy).Statement : statement if statement.Action == "iam:PassRole"]) == {
      Sid       = "PassNodeRole"
      Effect    = "Allow"
      Action    = "iam:PassRole"
      Resource  = "arn:aws:iam::123456789012:role/darkroom-node"
      Condition = { StringEquals = { "iam:PassedToService" = ["ec2.amazonaws.com"] } }
    }
    error_message = aws_iam_policy.controller["profiles"].policy
  }
}

run "what_karpenter_1_15_calls_beyond_older_ones_is_there" {
  assert {
    condition = alltrue([for action in [
      "iam:ListInstanceProfiles", "ec2:DescribePlacementGroups", "ec2:DescribeInstanceStatus", "ec2:DescribeCapacityReservations",
    ] : strcontains(join(" ", [for policy in aws_iam_policy.controller : policy.policy]), "\"${action}\"")])
    error_message = "an action of 1.15 is missing"
  }
}

run "keys_of_ones_own_are_for_ec2_volumes" {
  variables {
    volume_kms_key_arns = ["arn:aws:kms:eu-west-1:123456789012:key/00000000-0000-4000-8000-000000000000"]
  }

  assert {
    condition     = strcontains(aws_iam_policy.controller["launch"].policy, "\"kms:ViaService\":\"ec2.eu-west-1.amazonaws.com\"")
    error_message = aws_iam_policy.controller["launch"].policy
  }
}

run "without_such_keys_kms_is_not_mentioned" {
  assert {
    condition     = !strcontains(aws_iam_policy.controller["launch"].policy, "kms:")
    error_message = aws_iam_policy.controller["launch"].policy
  }
}
