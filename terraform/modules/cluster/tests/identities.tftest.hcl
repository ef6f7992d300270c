# What nodes and add-ons may do on AWS, in both partitions.

mock_provider "aws" {
  source = "../../mocks/aws"
}

mock_provider "aws" {
  alias  = "china"
  source = "../../mocks/aws-cn"
}

variables {
  name              = "darkroom"
  subnet_ids        = ["subnet-0aaaaaaaaaaaaaaaa", "subnet-0bbbbbbbbbbbbbbbb"]
  admin_arns        = ["arn:aws:iam::123456789012:role/platform"]
  models_bucket_arn = "arn:aws:s3:::darkroom-models"
}

run "the_s3_driver_reads_models_and_nothing_else" {
  command = plan

  assert {
    condition = { for statement in jsondecode(aws_iam_role_policy.csi.policy).Statement : statement.Action => statement.Resource } == {
      "s3:ListBucket" = "arn:aws:s3:::darkroom-models"
      "s3:GetObject"  = "arn:aws:s3:::darkroom-models/*"
    }
    error_message = aws_iam_role_policy.csi.policy
  }
}

run "and_decrypts_them_with_their_key" {
  command = plan

  variables {
    models_kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/00000000-0000-4000-8000-000000000000"
  }

  assert {
    condition     = [for statement in jsondecode(aws_iam_role_policy.csi.policy).Statement : statement.Resource if statement.Action == "kms:Decrypt"] == ["arn:aws:kms:eu-west-1:123456789012:key/00000000-0000-4000-8000-000000000000"]
    error_message = aws_iam_role_policy.csi.policy
  }
}

run "addons_that_call_aws_have_roles_of_their_own" {
  command = plan

  assert {
    condition     = [for association in aws_eks_addon.before_nodes["vpc-cni"].pod_identity_association : association.service_account] == ["aws-node"]
    error_message = "the network plugin has its role by Pod Identity"
  }

  assert {
    condition     = [for association in aws_eks_addon.after_nodes["aws-mountpoint-s3-csi-driver"].pod_identity_association : association.service_account] == ["s3-csi-driver-sa"]
    error_message = "the S3 driver has its role by Pod Identity"
  }

  assert {
    condition     = length(flatten([for name in ["coredns", "metrics-server"] : aws_eks_addon.after_nodes[name].pod_identity_association])) == 0
    error_message = "the others call nothing of AWS"
  }

  assert {
    condition     = !contains(keys(aws_iam_role_policy_attachment.nodes), "AmazonEKS_CNI_Policy")
    error_message = "nodes do not have the network plugin's rights"
  }
}

run "china_has_its_own_partition_and_service" {
  command = plan

  providers = {
    aws = aws.china
  }

  variables {
    admin_arns        = ["arn:aws-cn:iam::210987654321:role/platform"]
    models_bucket_arn = "arn:aws-cn:s3:::darkroom-models"
  }

  assert {
    condition = alltrue([for arn in concat(
      [aws_iam_role_policy_attachment.cluster.policy_arn, aws_iam_role_policy_attachment.cni.policy_arn],
      [for attachment in aws_iam_role_policy_attachment.nodes : attachment.policy_arn],
      [for association in aws_eks_access_policy_association.this : association.policy_arn],
    ) : startswith(arn, "arn:aws-cn:")])
    error_message = "an ARN of another partition"
  }

  assert {
    condition     = one(jsondecode(aws_iam_role.nodes.assume_role_policy).Statement).Principal.Service == "ec2.amazonaws.com.cn"
    error_message = aws_iam_role.nodes.assume_role_policy
  }
}
