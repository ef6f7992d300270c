# The control plane: who reaches it, and what it keeps.

mock_provider "aws" {
  source = "../../mocks/aws"
}

variables {
  name              = "darkroom"
  subnet_ids        = ["subnet-0aaaaaaaaaaaaaaaa", "subnet-0bbbbbbbbbbbbbbbb"]
  admin_arns        = ["arn:aws:iam::123456789012:role/platform"]
  models_bucket_arn = "arn:aws:s3:::darkroom-models"
}

run "its_api_is_reached_from_the_vpc_alone" {
  command = plan

  assert {
    condition     = aws_eks_cluster.this.vpc_config[0].endpoint_private_access && !aws_eks_cluster.this.vpc_config[0].endpoint_public_access
    error_message = "without public_access_cidrs the API is private"
  }

  assert {
    condition     = aws_eks_cluster.this.version == "1.35" && aws_eks_cluster.this.upgrade_policy[0].support_type == "STANDARD" && !aws_eks_cluster.this.bootstrap_self_managed_addons
    error_message = "Kubernetes 1.35, standard support, no add-ons of unknown versions"
  }
}

run "or_from_the_networks_that_are_named" {
  command = plan

  variables {
    public_access_cidrs = ["203.0.113.7/32"]
    kubernetes_version  = "1.34"
  }

  assert {
    condition     = aws_eks_cluster.this.vpc_config[0].endpoint_public_access && aws_eks_cluster.this.vpc_config[0].public_access_cidrs == toset(["203.0.113.7/32"])
    error_message = "public_access_cidrs opens it to these alone"
  }

  assert {
    condition     = aws_eks_cluster.this.version == "1.34" && aws_eks_node_group.system.version == "1.34"
    error_message = "nodes have the control plane's version"
  }
}

run "access_is_by_entries_for_those_who_are_named" {
  command = plan

  variables {
    viewer_arns = ["arn:aws:iam::123456789012:role/support"]
  }

  assert {
    condition     = aws_eks_cluster.this.access_config[0].authentication_mode == "API" && !aws_eks_cluster.this.access_config[0].bootstrap_cluster_creator_admin_permissions
    error_message = "no aws-auth, and no access by having created it"
  }

  assert {
    condition = { for arn, association in aws_eks_access_policy_association.this : arn => association.policy_arn } == {
      "arn:aws:iam::123456789012:role/platform" = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"
      "arn:aws:iam::123456789012:role/support"  = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy"
    }
    error_message = jsonencode(aws_eks_access_policy_association.this)
  }
}

run "secrets_are_encrypted_with_a_key_that_rotates" {
  command = plan

  assert {
    condition     = aws_kms_key.secrets[0].enable_key_rotation && aws_eks_cluster.this.encryption_config[0].resources == toset(["secrets"])
    error_message = "a key for secrets is made"
  }
}

run "or_with_a_key_of_ones_own" {
  command = plan

  variables {
    secrets_kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/11111111-0000-4000-8000-000000000000"
  }

  assert {
    condition     = length(aws_kms_key.secrets) == 0 && aws_eks_cluster.this.encryption_config[0].provider[0].key_arn == var.secrets_kms_key_arn
    error_message = "then none is made"
  }
}

run "logs_end_one_day" {
  command = plan

  variables {
    log_types          = ["audit"]
    log_retention_days = 90
  }

  assert {
    condition     = aws_cloudwatch_log_group.control_plane.name == "/aws/eks/darkroom/cluster" && aws_cloudwatch_log_group.control_plane.retention_in_days == 90
    error_message = "the group that EKS writes to is made here, with its retention"
  }

  assert {
    condition     = aws_eks_cluster.this.enabled_cluster_log_types == toset(["audit"])
    error_message = "only the logs that are asked for"
  }
}
