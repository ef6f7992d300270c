# Roles of the add-ons that call AWS: the network plugin and the S3 driver.

locals {
  trust_pods = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "PodIdentity"
      Effect    = "Allow"
      Principal = { Service = "pods.eks.amazonaws.com" }
      Action    = ["sts:AssumeRole", "sts:TagSession"]
    }]
  })

  # The driver mounts for all pods with one role: it reads, and lists what there is to read.
  read_models = [
    {
      Sid      = "List"
      Effect   = "Allow"
      Action   = "s3:ListBucket"
      Resource = var.models_bucket_arn
    },
    {
      Sid      = "Read"
      Effect   = "Allow"
      Action   = "s3:GetObject"
      Resource = "${var.models_bucket_arn}/*"
    },
  ]
  decrypt_models = [for arn in var.models_kms_key_arn == null ? [] : [var.models_kms_key_arn] : {
    Sid      = "Decrypt"
    Effect   = "Allow"
    Action   = "kms:Decrypt"
    Resource = arn
  }]
}

resource "aws_iam_role" "cni" {
  name_prefix        = "${var.name}-cni-"
  description        = "Network plugin (aws-node) of the EKS cluster ${var.name}"
  assume_role_policy = local.trust_pods
  tags               = var.tags
}

resource "aws_iam_role_policy_attachment" "cni" {
  role       = aws_iam_role.cni.name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/AmazonEKS_CNI_Policy"
}

resource "aws_iam_role" "csi" {
  name_prefix        = "${var.name}-s3-csi-"
  description        = "S3 driver of the EKS cluster ${var.name}: mounts models"
  assume_role_policy = local.trust_pods
  tags               = var.tags
}

resource "aws_iam_role_policy" "csi" {
  name   = "models"
  role   = aws_iam_role.csi.id
  policy = jsonencode({ Version = "2012-10-17", Statement = concat(local.read_models, local.decrypt_models) })
}
