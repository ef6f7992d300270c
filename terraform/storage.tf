# Buckets: outputs, and models.

module "storage" {
  source = "./modules/storage"

  name                   = var.name
  outputs_bucket_name    = var.storage.outputs_bucket_name
  existing_models_bucket = var.storage.existing_models_bucket
  artifact_prefixes      = setunion(keys(var.runtimes), var.storage.artifact_prefixes)
  expire_days            = var.storage.expire_days
  versioned              = var.storage.versioned
  # The playground uploads inputs from the API's own site.
  cors_origins       = concat([regex("^https?://[^/]+", module.api.endpoint)], var.api.cors_origins)
  kms_key_arn        = local.kms_key_arn
  access_logs_bucket = var.storage.access_logs_bucket
  force_destroy      = var.storage.force_destroy
  tags               = var.tags
}
