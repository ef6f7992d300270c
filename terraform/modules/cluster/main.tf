# The EKS control plane: who reaches it, how its secrets are encrypted, what it logs.

data "aws_partition" "current" {}

resource "aws_iam_role" "cluster" {
  name_prefix = "${var.name}-cluster-"
  description = "Control plane of the EKS cluster ${var.name}"
  tags        = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "Eks"
      Effect    = "Allow"
      Principal = { Service = "eks.amazonaws.com" }
      Action    = ["sts:AssumeRole", "sts:TagSession"]
    }]
  })
}

resource "aws_iam_role_policy_attachment" "cluster" {
  role       = aws_iam_role.cluster.name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/AmazonEKSClusterPolicy"
}

resource "aws_kms_key" "secrets" {
  #checkov:skip=CKV2_AWS_64:KMS's default policy leaves access to IAM; a narrower one written here could lock the account out of its own key
  count = var.secrets_kms_key_arn == null ? 1 : 0

  description             = "Kubernetes secrets of the EKS cluster ${var.name}"
  enable_key_rotation     = true
  deletion_window_in_days = 7
  tags                    = var.tags
}

# EKS would make this group by itself, without an end to its days, and leave it behind.
resource "aws_cloudwatch_log_group" "control_plane" {
  #checkov:skip=CKV_AWS_158:CloudWatch encrypts it with its own key; EKS writes no secret into it
  #checkov:skip=CKV_AWS_338:How long it is kept is the user's choice
  name              = "/aws/eks/${var.name}/cluster"
  retention_in_days = var.log_retention_days
  tags              = var.tags
}

resource "aws_eks_cluster" "this" {
  #checkov:skip=CKV_AWS_39:Public access is open to the networks that are named, and closed where none is
  #checkov:skip=CKV_AWS_37:Which logs are kept is the user's choice; all of them by default
  name                      = var.name
  version                   = var.kubernetes_version
  role_arn                  = aws_iam_role.cluster.arn
  enabled_cluster_log_types = var.log_types
  # The add-ons below are EKS's own, in versions that are known.
  bootstrap_self_managed_addons = false
  tags                          = var.tags

  access_config {
    authentication_mode                         = "API"
    bootstrap_cluster_creator_admin_permissions = false
  }

  vpc_config {
    subnet_ids              = var.subnet_ids
    endpoint_private_access = true
    endpoint_public_access  = length(var.public_access_cidrs) > 0
    public_access_cidrs     = length(var.public_access_cidrs) > 0 ? var.public_access_cidrs : null
  }

  encryption_config {
    resources = ["secrets"]

    provider {
      key_arn = var.secrets_kms_key_arn == null ? aws_kms_key.secrets[0].arn : var.secrets_kms_key_arn
    }
  }

  # Extended support costs six times as much; a cluster that is forgotten is upgraded instead.
  upgrade_policy {
    support_type = "STANDARD"
  }

  depends_on = [aws_cloudwatch_log_group.control_plane, aws_iam_role_policy_attachment.cluster]
}
