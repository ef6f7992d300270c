# The role of the instance on which bottlerocket-snapshot/ builds the snapshot of all images.

module "snapshot" {
  source = "./modules/snapshot"

  name            = var.name
  repository_arns = values(module.images.repository_arns)
  tags            = var.tags
}
