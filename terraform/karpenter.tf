# What Karpenter needs on AWS; its chart is installed with `platform_values`.

module "karpenter" {
  source = "./modules/karpenter"

  name                      = module.cluster.name
  cluster_security_group_id = module.cluster.security_group_id
  namespace                 = var.platform_namespace
  volume_kms_key_arns       = var.node_volume_kms_key_arns
  tags                      = var.tags
}
