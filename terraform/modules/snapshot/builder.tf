# What whoever runs bottlerocket-snapshot needs: a person, or a pipeline. It is attached to nobody here.
# What exists is reached by the builder's own tag only, `darkroom:snapshot-build`.

locals {
  kinds    = ["instance", "network-interface", "security-group", "snapshot", "volume"]
  made     = [for kind in local.kinds : "arn:${data.aws_partition.current.partition}:ec2:*:*:${kind}/*"]
  used     = [for kind in ["image", "subnet", "vpc"] : "arn:${data.aws_partition.current.partition}:ec2:*:*:${kind}/*"]
  new      = { Null = { "aws:RequestTag/darkroom:snapshot-build" = "false" } }
  ours     = { Null = { "aws:ResourceTag/darkroom:snapshot-build" = "false" } }
  creating = ["CopySnapshot", "CreateSecurityGroup", "CreateSnapshot", "RunInstances"]
}

resource "aws_iam_policy" "builder" {
  name_prefix = "${var.name}-snapshot-builder-"
  description = "Build, copy and delete snapshots of images for ${var.name} with bottlerocket-snapshot"
  tags        = var.tags

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        # AWS offers no resource for looking.
        Sid    = "Look"
        Effect = "Allow"
        Action = [
          "ec2:DescribeFastSnapshotRestores", "ec2:DescribeInstances", "ec2:DescribeSecurityGroups", "ec2:DescribeSnapshots",
          "ec2:DescribeSubnets", "ec2:DescribeVolumes", "ssm:DescribeInstanceInformation", "ssm:GetCommandInvocation",
        ]
        Resource = "*"
      },
      {
        Sid      = "FindBottlerocket"
        Effect   = "Allow"
        Action   = "ssm:GetParameter"
        Resource = "arn:${data.aws_partition.current.partition}:ssm:*::parameter/aws/service/bottlerocket/*"
      },
      {
        Sid      = "FindImages"
        Effect   = "Allow"
        Action   = ["ecr:BatchGetImage", "ecr:DescribeImages"]
        Resource = var.repository_arns
      },
      {
        Sid       = "Make"
        Effect    = "Allow"
        Action    = [for action in local.creating : "ec2:${action}"]
        Resource  = local.made
        Condition = local.new
      },
      {
        Sid      = "MakeWith"
        Effect   = "Allow"
        Action   = ["ec2:CreateSecurityGroup", "ec2:RunInstances"]
        Resource = local.used
      },
      {
        Sid       = "MakeOfOurs"
        Effect    = "Allow"
        Action    = ["ec2:CopySnapshot", "ec2:CreateSnapshot", "ec2:RunInstances"]
        Resource  = local.made
        Condition = local.ours
      },
      {
        Sid       = "TagWhatIsMade"
        Effect    = "Allow"
        Action    = "ec2:CreateTags"
        Resource  = local.made
        Condition = { StringEquals = { "ec2:CreateAction" = local.creating } }
      },
      {
        Sid    = "ChangeOurs"
        Effect = "Allow"
        Action = [
          "ec2:DeleteSecurityGroup", "ec2:DeleteSnapshot", "ec2:DeleteVolume", "ec2:DisableFastSnapshotRestores",
          "ec2:EnableFastSnapshotRestores", "ec2:StopInstances", "ec2:TerminateInstances", "ssm:SendCommand",
        ]
        Resource  = local.made
        Condition = local.ours
      },
      {
        Sid      = "ByShell"
        Effect   = "Allow"
        Action   = "ssm:SendCommand"
        Resource = "arn:${data.aws_partition.current.partition}:ssm:*::document/AWS-RunShellScript"
      },
      {
        Sid       = "PassTheRole"
        Effect    = "Allow"
        Action    = "iam:PassRole"
        Resource  = aws_iam_role.this.arn
        Condition = { StringEquals = { "iam:PassedToService" = "ec2.${data.aws_partition.current.dns_suffix}" } }
      },
    ]
  })
}
