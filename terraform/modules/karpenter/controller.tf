# The controller's role: whom it trusts, and its association with the service account. policy.tf says what it may do.

resource "aws_iam_role" "controller" {
  name_prefix = "${var.name}-karpenter-"
  description = "Karpenter's controller in the cluster ${var.name}"
  tags        = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "PodIdentity"
      Effect    = "Allow"
      Principal = { Service = "pods.eks.amazonaws.com" }
      Action    = ["sts:AssumeRole", "sts:TagSession"]
    }]
  })
}

resource "aws_iam_policy" "controller" {
  for_each = local.policies

  name_prefix = "${var.name}-karpenter-${each.key}-"
  description = "Karpenter in the cluster ${var.name}: ${each.key}"
  policy      = jsonencode({ Version = "2012-10-17", Statement = each.value })
  tags        = var.tags
}

resource "aws_iam_role_policy_attachment" "controller" {
  for_each = local.policies

  role       = aws_iam_role.controller.name
  policy_arn = aws_iam_policy.controller[each.key].arn
}

resource "aws_eks_pod_identity_association" "controller" {
  cluster_name    = var.name
  namespace       = var.namespace
  service_account = var.service_account
  role_arn        = aws_iam_role.controller.arn
  tags            = var.tags
}
