# System nodes and add-ons.

mock_provider "aws" {
  source = "../../mocks/aws"
}

variables {
  name              = "darkroom"
  subnet_ids        = ["subnet-0aaaaaaaaaaaaaaaa", "subnet-0bbbbbbbbbbbbbbbb"]
  admin_arns        = ["arn:aws:iam::123456789012:role/platform"]
  models_bucket_arn = "arn:aws:s3:::darkroom-models"
}

run "two_graviton_nodes_with_bottlerocket" {
  command = plan

  assert {
    condition = [aws_eks_node_group.system.ami_type, aws_eks_node_group.system.instance_types, aws_eks_node_group.system.scaling_config[0].min_size] == [
      "BOTTLEROCKET_ARM_64", tolist(["t4g.medium"]), 2,
    ]
    error_message = jsonencode(aws_eks_node_group.system)
  }
}

run "their_number_type_and_disk_can_be_set" {
  command = plan

  variables {
    system_nodes = { instance_types = ["m7g.large", "m6g.large"], count = 3, disk_gib = 50 }
  }

  assert {
    condition = [aws_eks_node_group.system.instance_types, aws_eks_node_group.system.scaling_config[0].desired_size, aws_eks_node_group.system.scaling_config[0].max_size] == [
      tolist(["m7g.large", "m6g.large"]), 3, 6,
    ]
    error_message = jsonencode(aws_eks_node_group.system)
  }

  assert {
    condition     = [for mapping in aws_launch_template.nodes.block_device_mappings : mapping.ebs[0].volume_size if mapping.device_name == "/dev/xvdb"] == [50]
    error_message = "disk_gib is the size of the data volume"
  }
}

run "pods_do_not_reach_the_nodes_credentials" {
  command = plan

  assert {
    condition     = [aws_launch_template.nodes.metadata_options[0].http_tokens, aws_launch_template.nodes.metadata_options[0].http_put_response_hop_limit] == ["required", 1]
    error_message = "IMDSv2, one hop"
  }

  assert {
    condition     = alltrue([for mapping in aws_launch_template.nodes.block_device_mappings : mapping.ebs[0].encrypted == "true"])
    error_message = "both volumes are encrypted"
  }
}

run "network_policies_are_enforced" {
  command = plan

  assert {
    condition     = jsondecode(aws_eks_addon.before_nodes["vpc-cni"].configuration_values).enableNetworkPolicy == "true"
    error_message = "the network plugin enforces network policies"
  }
}

run "every_addon_is_there_and_can_be_pinned" {
  command = plan

  variables {
    addon_versions = { coredns = "v1.13.1-eksbuild.1", aws-mountpoint-s3-csi-driver = "v2.2.0-eksbuild.1" }
  }

  assert {
    condition = toset(concat(keys(aws_eks_addon.before_nodes), keys(aws_eks_addon.after_nodes))) == toset([
      "vpc-cni", "kube-proxy", "eks-pod-identity-agent", "coredns", "metrics-server", "aws-mountpoint-s3-csi-driver",
    ])
    error_message = "an add-on is missing"
  }

  assert {
    condition     = [aws_eks_addon.after_nodes["coredns"].addon_version, aws_eks_addon.after_nodes["aws-mountpoint-s3-csi-driver"].addon_version] == ["v1.13.1-eksbuild.1", "v2.2.0-eksbuild.1"]
    error_message = "addon_versions pins them"
  }
}

run "the_s3_driver_is_on_tainted_nodes_too" {
  command = plan

  assert {
    condition     = jsondecode(aws_eks_addon.after_nodes["aws-mountpoint-s3-csi-driver"].configuration_values) == { node = { tolerateAllTaints = true } }
    error_message = aws_eks_addon.after_nodes["aws-mountpoint-s3-csi-driver"].configuration_values
  }
}

run "the_s3_driver_reserves_room_by_choice" {
  command = plan

  variables {
    reserve_mountpoint_headroom = true
  }

  assert {
    condition     = jsondecode(aws_eks_addon.after_nodes["aws-mountpoint-s3-csi-driver"].configuration_values).experimental == { reserveHeadroomForMountpointPods = true }
    error_message = aws_eks_addon.after_nodes["aws-mountpoint-s3-csi-driver"].configuration_values
  }
}

run "the_longest_name_stays_within_the_limits" {
  command = plan

  variables {
    name = "a23456789012345678901234"
  }

  assert {
    condition = alltrue([for prefix in [
      aws_iam_role.cluster.name_prefix, aws_iam_role.nodes.name_prefix, aws_iam_role.cni.name_prefix, aws_iam_role.csi.name_prefix,
    ] : length(prefix) <= 38])
    error_message = "a role's name prefix is longer than 38 characters"
  }
}
