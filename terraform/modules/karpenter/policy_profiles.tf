# The rest of what Karpenter may do: its instance profiles, which it makes itself, and what it has to read.

locals {
  own_profile = merge(local.owned, { "aws:ResourceTag/topology.kubernetes.io/region" = local.region })
  new_profile = merge(local.owning, { "aws:RequestTag/topology.kubernetes.io/region" = local.region })

  profiles = [
    {
      Sid       = "PassNodeRole"
      Effect    = "Allow"
      Action    = "iam:PassRole"
      Resource  = aws_iam_role.node.arn
      Condition = { StringEquals = { "iam:PassedToService" = distinct(["ec2.amazonaws.com", "ec2.${data.aws_partition.current.dns_suffix}"]) } }
    },
    {
      Sid       = "CreateProfile"
      Effect    = "Allow"
      Action    = "iam:CreateInstanceProfile"
      Resource  = local.instance_profiles
      Condition = { StringEquals = local.new_profile, StringLike = { "aws:RequestTag/karpenter.k8s.aws/ec2nodeclass" = "*" } }
    },
    {
      Sid      = "TagOwnProfile"
      Effect   = "Allow"
      Action   = "iam:TagInstanceProfile"
      Resource = local.instance_profiles
      Condition = {
        StringEquals = merge(local.own_profile, local.new_profile)
        StringLike   = { "aws:ResourceTag/karpenter.k8s.aws/ec2nodeclass" = "*", "aws:RequestTag/karpenter.k8s.aws/ec2nodeclass" = "*" }
      }
    },
    {
      Sid       = "ChangeOwnProfile"
      Effect    = "Allow"
      Action    = ["iam:AddRoleToInstanceProfile", "iam:RemoveRoleFromInstanceProfile", "iam:DeleteInstanceProfile"]
      Resource  = local.instance_profiles
      Condition = { StringEquals = local.own_profile, StringLike = { "aws:ResourceTag/karpenter.k8s.aws/ec2nodeclass" = "*" } }
    },
    {
      Sid      = "ReadProfile"
      Effect   = "Allow"
      Action   = "iam:GetInstanceProfile"
      Resource = local.instance_profiles
    },
    {
      # AWS offers no resource for listing profiles.
      Sid      = "ListProfiles"
      Effect   = "Allow"
      Action   = "iam:ListInstanceProfiles"
      Resource = "*"
    },
  ]

  discovery = [
    {
      # EC2's Describe calls know no resources; the region bounds them.
      Sid    = "ReadThisRegion"
      Effect = "Allow"
      Action = [
        "ec2:DescribeCapacityReservations", "ec2:DescribeImages", "ec2:DescribeInstances", "ec2:DescribeInstanceStatus",
        "ec2:DescribeInstanceTypeOfferings", "ec2:DescribeInstanceTypes", "ec2:DescribeLaunchTemplates", "ec2:DescribePlacementGroups",
        "ec2:DescribeSecurityGroups", "ec2:DescribeSpotPriceHistory", "ec2:DescribeSubnets",
      ]
      Resource  = "*"
      Condition = { StringEquals = { "aws:RequestedRegion" = local.region } }
    },
    {
      Sid      = "ReadImageIds"
      Effect   = "Allow"
      Action   = "ssm:GetParameter"
      Resource = "arn:${local.partition}:ssm:${local.region}::parameter/aws/service/*"
    },
    {
      # Prices belong to nobody: the pricing API knows no resources, and lives in few regions.
      Sid      = "ReadPrices"
      Effect   = "Allow"
      Action   = "pricing:GetProducts"
      Resource = "*"
    },
    {
      Sid      = "ReadCluster"
      Effect   = "Allow"
      Action   = "eks:DescribeCluster"
      Resource = "arn:${local.partition}:eks:${local.region}:${local.account_id}:cluster/${var.name}"
    },
  ]
}
