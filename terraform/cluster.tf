# The EKS cluster, its system nodes and add-ons.

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
  models_bucket_arn           = module.storage.models_bucket_arn
  models_kms_key_arn          = local.models_kms_key_arn
  tags                        = var.tags
}
