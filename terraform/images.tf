# Repositories for the images of agent and runtimes.

module "images" {
  source = "./modules/images"

  name                = var.name
  repositories        = var.images.repositories
  kms_key_arn         = var.images.kms_key_arn
  keep_images         = var.images.keep_images
  force_delete        = var.images.force_delete
  pull_through_caches = var.images.pull_through_caches
  tags                = var.tags
}
