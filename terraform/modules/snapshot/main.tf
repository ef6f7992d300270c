# The role of the short-lived instance on which bottlerocket-snapshot/ pulls images before its volume becomes a snapshot.

data "aws_partition" "current" {}

resource "aws_iam_role" "this" {
  name_prefix = "${var.name}-snapshot-"
  description = "Instance on which the snapshot of images for ${var.name} is built"
  tags        = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "Instance"
      Effect    = "Allow"
      Principal = { Service = "ec2.${data.aws_partition.current.dns_suffix}" }
      Action    = "sts:AssumeRole"
    }]
  })
}

# The builder gives its commands over SSM: Bottlerocket has no SSH.
resource "aws_iam_role_policy_attachment" "ssm" {
  role       = aws_iam_role.this.name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/AmazonSSMManagedInstanceCore"
}

resource "aws_iam_role_policy" "pull" {
  name = "pull"
  role = aws_iam_role.this.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        # A token is for the account's whole registry: AWS offers no resource for it.
        Sid      = "LogIn"
        Effect   = "Allow"
        Action   = "ecr:GetAuthorizationToken"
        Resource = "*"
      },
      {
        Sid      = "Pull"
        Effect   = "Allow"
        Action   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
        Resource = var.repository_arns
      },
      {
        # Bottlerocket pulls its own containers with the instance's role, from accounts of AWS that differ by region.
        Sid      = "PullBottlerocketsOwn"
        Effect   = "Allow"
        Action   = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
        Resource = [for name in ["admin", "control"] : "arn:${data.aws_partition.current.partition}:ecr:*:*:repository/bottlerocket-${name}"]
      },
    ]
  })
}

resource "aws_iam_instance_profile" "this" {
  name_prefix = "${var.name}-snapshot-"
  role        = aws_iam_role.this.name
  tags        = var.tags
}
