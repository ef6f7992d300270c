# What Karpenter 1.15 may do, scoped by the tags that it puts on all it makes. Source: its reference for CloudFormation
# (karpenter.sh, "Getting started"), and what 1.15 calls beyond it.

locals {
  owned = { "aws:ResourceTag/kubernetes.io/cluster/${var.name}" = "owned" }
  owning = {
    "aws:RequestTag/kubernetes.io/cluster/${var.name}" = "owned"
    "aws:RequestTag/eks:eks-cluster-name"              = var.name
  }

  made_by_launch = [for kind in ["fleet", "instance", "volume", "network-interface", "launch-template", "spot-instances-request"] : "${local.ec2}:*:${kind}/*"]

  instance_profiles = "arn:${local.partition}:iam::${local.account_id}:instance-profile/*"

  # Statements are kept apart in four policies: a managed policy has at most 6,144 characters.
  policies = {
    launch    = concat(local.launch, local.volume_keys)
    clean-up  = local.clean_up
    profiles  = local.profiles
    discovery = local.discovery
  }

  launch = [
    {
      Sid      = "LaunchFromWhatExists"
      Effect   = "Allow"
      Action   = ["ec2:RunInstances", "ec2:CreateFleet"]
      Resource = concat(["${local.ec2}::image/*", "${local.ec2}::snapshot/*"], [for kind in ["security-group", "subnet", "capacity-reservation"] : "${local.ec2}:*:${kind}/*"])
    },
    {
      Sid       = "LaunchFromOwnTemplates"
      Effect    = "Allow"
      Action    = ["ec2:RunInstances", "ec2:CreateFleet"]
      Resource  = "${local.ec2}:*:launch-template/*"
      Condition = { StringEquals = local.owned, StringLike = { "aws:ResourceTag/karpenter.sh/nodepool" = "*" } }
    },
    {
      Sid       = "LaunchTaggedAsOwn"
      Effect    = "Allow"
      Action    = ["ec2:RunInstances", "ec2:CreateFleet", "ec2:CreateLaunchTemplate"]
      Resource  = local.made_by_launch
      Condition = { StringEquals = local.owning, StringLike = { "aws:RequestTag/karpenter.sh/nodepool" = "*" } }
    },
    {
      Sid      = "TagAtLaunch"
      Effect   = "Allow"
      Action   = "ec2:CreateTags"
      Resource = local.made_by_launch
      Condition = {
        StringEquals = merge(local.owning, { "ec2:CreateAction" = ["RunInstances", "CreateFleet", "CreateLaunchTemplate"] })
        StringLike   = { "aws:RequestTag/karpenter.sh/nodepool" = "*" }
      }
    },
  ]

  # EC2 encrypts volumes in the caller's name where the key is not EBS's own.
  volume_keys = [for statement in [
    {
      Sid       = "EncryptVolumes"
      Effect    = "Allow"
      Action    = ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom", "kms:ReEncryptTo"]
      Resource  = var.volume_kms_key_arns
      Condition = { StringEquals = { "kms:ViaService" = "ec2.${local.region}.${data.aws_partition.current.dns_suffix}" } }
    },
    {
      Sid       = "GrantVolumesToInstances"
      Effect    = "Allow"
      Action    = "kms:CreateGrant"
      Resource  = var.volume_kms_key_arns
      Condition = { Bool = { "kms:GrantIsForAWSResource" = "true" } }
    },
  ] : statement if length(var.volume_kms_key_arns) > 0]

  clean_up = [
    {
      Sid      = "TagOwnInstances"
      Effect   = "Allow"
      Action   = "ec2:CreateTags"
      Resource = "${local.ec2}:*:instance/*"
      Condition = {
        StringEquals                = local.owned
        StringLike                  = { "aws:ResourceTag/karpenter.sh/nodepool" = "*" }
        StringEqualsIfExists        = { "aws:RequestTag/eks:eks-cluster-name" = var.name }
        "ForAllValues:StringEquals" = { "aws:TagKeys" = ["eks:eks-cluster-name", "karpenter.sh/nodeclaim", "Name"] }
      }
    },
    {
      Sid       = "DeleteOwn"
      Effect    = "Allow"
      Action    = ["ec2:TerminateInstances", "ec2:DeleteLaunchTemplate"]
      Resource  = ["${local.ec2}:*:instance/*", "${local.ec2}:*:launch-template/*"]
      Condition = { StringEquals = local.owned, StringLike = { "aws:ResourceTag/karpenter.sh/nodepool" = "*" } }
    },
    {
      Sid      = "TakeInterruptions"
      Effect   = "Allow"
      Action   = ["sqs:DeleteMessage", "sqs:GetQueueUrl", "sqs:ReceiveMessage"]
      Resource = aws_sqs_queue.interruption.arn
    },
  ]
}
