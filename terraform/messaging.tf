# Topics and queues: the way of a job.

module "messaging" {
  source = "./modules/messaging"

  name               = var.name
  runtimes           = { for name, runtime in var.runtimes : name => { bulk = runtime.bulk, checkpoints = runtime.checkpoints } }
  visibility_seconds = var.messaging.visibility_seconds
  attempts           = var.messaging.attempts
  retention_days     = var.messaging.retention_days
  kms_key_arn        = local.kms_key_arn
  tracing            = var.tracing.enabled
  tags               = var.tags
}
