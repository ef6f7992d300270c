# The key that encrypts queues, topics, buckets and logs: AWS's own, one that is there, or one that is made.

module "key" {
  source = "./modules/key"
  count  = var.encryption.create_key ? 1 : 0

  name                 = var.name
  deletion_window_days = var.encryption.deletion_window_days
  tags                 = var.tags
}

locals {
  kms_key_arn = var.encryption.create_key ? module.key[0].arn : var.encryption.kms_key_arn

  # A models bucket that is made here is encrypted as the other is; an existing one has its own key, if any.
  models_kms_key_arn = var.storage.existing_models_bucket == null ? local.kms_key_arn : var.storage.models_kms_key_arn
}
