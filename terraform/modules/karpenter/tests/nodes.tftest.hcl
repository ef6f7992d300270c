# Who trusts whom, what nodes may do, and how interruptions arrive.

mock_provider "aws" {
  source = "../../mocks/aws"
}

variables {
  name                      = "darkroom"
  cluster_security_group_id = "sg-0123456789abcdef0"
}

run "the_controller_has_its_role_by_pod_identity" {
  variables {
    namespace       = "platform"
    service_account = "karpenter-controller"
  }

  assert {
    condition = [
      aws_eks_pod_identity_association.controller.cluster_name, aws_eks_pod_identity_association.controller.namespace, aws_eks_pod_identity_association.controller.service_account,
    ] == ["darkroom", "platform", "karpenter-controller"]
    error_message = "the association is for the namespace and the service account that were named"
  }

  assert {
    condition     = one(jsondecode(aws_iam_role.controller.assume_role_policy).Statement).Principal == { Service = "pods.eks.amazonaws.com" }
    error_message = aws_iam_role.controller.assume_role_policy
  }
}

run "nodes_join_and_pull_and_nothing_else" {
  assert {
    condition = toset([for attachment in aws_iam_role_policy_attachment.node : attachment.policy_arn]) == toset([
      "arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy", "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly", "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore",
    ])
    error_message = "another policy on the nodes' role"
  }

  assert {
    condition     = aws_eks_access_entry.node.type == "EC2_LINUX"
    error_message = "nodes join by an access entry"
  }
}

run "karpenter_finds_the_security_group" {
  assert {
    condition     = [aws_ec2_tag.security_group.resource_id, aws_ec2_tag.security_group.key, aws_ec2_tag.security_group.value] == ["sg-0123456789abcdef0", "karpenter.sh/discovery", "darkroom"]
    error_message = "the cluster's security group carries the discovery tag"
  }
}

run "four_kinds_of_events_reach_the_queue" {
  assert {
    condition = toset([for rule in aws_cloudwatch_event_rule.interruption : one(jsondecode(rule.event_pattern)["detail-type"])]) == toset([
      "EC2 Spot Instance Interruption Warning", "EC2 Instance Rebalance Recommendation", "EC2 Instance State-change Notification", "AWS Health Event",
    ])
    error_message = "an interruption would not arrive"
  }

  assert {
    condition     = alltrue([for target in aws_cloudwatch_event_target.interruption : target.arn == aws_sqs_queue.interruption.arn]) && length(aws_cloudwatch_event_target.interruption) == 4
    error_message = "each rule has the queue as its target"
  }
}

run "only_those_rules_write_to_it_and_only_over_tls" {
  assert {
    condition = [for statement in jsondecode(aws_sqs_queue_policy.interruption.policy).Statement : [statement.Effect, statement.Condition]] == [
      ["Allow", { ArnEquals = { "aws:SourceArn" = [for rule in aws_cloudwatch_event_rule.interruption : rule.arn] } }],
      ["Deny", { Bool = { "aws:SecureTransport" = "false" } }],
    ]
    error_message = aws_sqs_queue_policy.interruption.policy
  }

  assert {
    condition     = aws_sqs_queue.interruption.sqs_managed_sse_enabled
    error_message = "the queue is encrypted"
  }
}

run "the_longest_name_stays_within_the_limits" {
  variables {
    name = "a23456789012345678901234"
  }

  # IAM appends 26 characters to a prefix; a role's name has 64.
  assert {
    condition     = alltrue([for prefix in [aws_iam_role.controller.name_prefix, aws_iam_role.node.name_prefix] : length(prefix) <= 38])
    error_message = "a role's name prefix is longer than 38 characters"
  }

  assert {
    condition     = alltrue([for rule in aws_cloudwatch_event_rule.interruption : length(rule.name) <= 64])
    error_message = "an event rule's name is longer than 64 characters"
  }
}
