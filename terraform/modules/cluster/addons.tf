# EKS's add-ons: those that a node needs come before the nodes, those that need a node after them.

locals {
  # Add-on → what differs from its defaults.
  before_nodes = {
    vpc-cni                = { enableNetworkPolicy = "true" }
    kube-proxy             = {}
    eks-pod-identity-agent = {}
  }
  after_nodes = {
    coredns        = {}
    metrics-server = {}
    # Without the toleration it is not on the runtimes' nodes, which are tainted, and no pod there gets its models.
    aws-mountpoint-s3-csi-driver = merge(
      { node = { tolerateAllTaints = true } },
      var.reserve_mountpoint_headroom ? { experimental = { reserveHeadroomForMountpointPods = true } } : {},
    )
  }
  # Add-on → the service account that calls AWS, and its role.
  identities = {
    vpc-cni                      = { service_account = "aws-node", role_arn = aws_iam_role.cni.arn }
    aws-mountpoint-s3-csi-driver = { service_account = "s3-csi-driver-sa", role_arn = aws_iam_role.csi.arn }
  }
}

resource "aws_eks_addon" "before_nodes" {
  for_each = local.before_nodes

  cluster_name                = aws_eks_cluster.this.name
  addon_name                  = each.key
  addon_version               = lookup(var.addon_versions, each.key, null)
  configuration_values        = length(each.value) == 0 ? null : jsonencode(each.value)
  resolve_conflicts_on_create = "OVERWRITE"
  resolve_conflicts_on_update = "OVERWRITE"
  tags                        = var.tags

  dynamic "pod_identity_association" {
    for_each = contains(keys(local.identities), each.key) ? [local.identities[each.key]] : []

    content {
      service_account = pod_identity_association.value.service_account
      role_arn        = pod_identity_association.value.role_arn
    }
  }

  depends_on = [aws_iam_role_policy_attachment.cni]
}

resource "aws_eks_addon" "after_nodes" {
  for_each = local.after_nodes

  cluster_name                = aws_eks_cluster.this.name
  addon_name                  = each.key
  addon_version               = lookup(var.addon_versions, each.key, null)
  configuration_values        = length(each.value) == 0 ? null : jsonencode(each.value)
  resolve_conflicts_on_create = "OVERWRITE"
  resolve_conflicts_on_update = "OVERWRITE"
  tags                        = var.tags

  dynamic "pod_identity_association" {
    for_each = contains(keys(local.identities), each.key) ? [local.identities[each.key]] : []

    content {
      service_account = pod_identity_association.value.service_account
      role_arn        = pod_identity_association.value.role_arn
    }
  }

  depends_on = [aws_eks_node_group.system, aws_iam_role_policy.csi]
}
