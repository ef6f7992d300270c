# The EKS cluster, its system nodes and add-ons.

data "aws_partition" "current" {}

data "aws_caller_identity" "current" {}

locals {
  # As modules/storage calls the bucket.
  models_bucket_arn = "arn:${data.aws_partition.current.partition}:s3:::${var.name}-models-${data.aws_caller_identity.current.account_id}-${data.aws_region.current.id}"
}

module "cluster" {
  source = "./modules/cluster"

  name                        = var.name
  subnet_ids                  = module.network.private_subnet_ids
  kubernetes_version          = var.cluster.kubernetes_version
  admin_arns                  = var.cluster.admin_arns
  viewer_arns                 = var.cluster.viewer_arns
  public_access_cidrs         = var.cluster.public_access_cidrs
  secrets_kms_key_arn         = var.cluster.secrets_kms_key_arn
  log_types                   = var.cluster.log_types
  log_retention_days          = var.cluster.log_retention_days
  system_nodes                = var.cluster.system_nodes
  addon_versions              = var.cluster.addon_versions
  reserve_mountpoint_headroom = var.cluster.reserve_mountpoint_headroom
  models_bucket_arn           = local.models_bucket_arn
  tags                        = var.tags
}
