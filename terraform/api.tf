# The HTTP API: the gateway with its callers, the jobs Lambda behind it, and the Lambda that calls webhooks.

locals {
  function = {
    lambda_zip         = coalesce(var.api.lambda_zip, "${path.module}/../dist/lambda.zip")
    log_level          = var.api.log_level
    log_retention_days = var.api.log_retention_days
    tracing            = var.tracing.enabled
  }
}

module "api" {
  source = "./modules/api"

  name               = var.name
  openapi_file       = "${path.module}/../api/darkroom_api/openapi.yaml"
  invoke_arn         = module.jobs.invoke_arn
  stage              = var.api.stage
  authorization      = var.api.authorization
  throttle           = var.api.throttle
  usage_plans        = var.api.usage_plans
  tenants            = var.api.tenants
  cors_origins       = var.api.cors_origins
  domain             = var.api.domain
  web_acl_arn        = var.api.web_acl_arn
  account_logging    = var.api.account_logging
  log_retention_days = var.api.log_retention_days
  kms_key_arn        = local.kms_key_arn
  tracing            = var.tracing.enabled
  tags               = var.tags
}

module "jobs" {
  source = "./modules/jobs"

  name               = var.name
  function           = merge(local.function, { memory_mib = var.api.memory_mib, reserved_concurrency = var.api.reserved_concurrency })
  outputs_bucket     = module.storage.outputs_bucket
  models_bucket      = module.storage.models_bucket
  jobs_topic_arn     = module.messaging.jobs_topic_arn
  queue_url_prefix   = module.messaging.queue_url_prefix
  tenants            = module.api.tenants
  cors_origins       = var.api.cors_origins
  webhook_policy     = module.webhooks.policy
  api_execution_arn  = module.api.execution_arn
  kms_key_arn        = local.kms_key_arn
  models_kms_key_arn = local.models_kms_key_arn
  tags               = var.tags

  runtimes = { for name, runtime in var.runtimes : name => {
    type                = runtime.type
    bulk                = runtime.bulk ? true : null
    checkpoints         = length(runtime.checkpoints) == 0 ? null : runtime.checkpoints
    job_seconds         = runtime.job_seconds
    target_wait_seconds = runtime.target_wait_seconds
    max_replicas        = runtime.max_replicas
    cold_start_seconds  = runtime.cold_start_seconds
  } }
}

module "webhooks" {
  source = "./modules/webhooks"

  name              = var.name
  function          = merge(local.function, { reserved_concurrency = var.webhooks.reserved_concurrency })
  results_topic_arn = module.messaging.results_topic_arn
  outputs_bucket    = module.storage.outputs_bucket
  attempts          = var.webhooks.attempts
  max_concurrency   = var.webhooks.max_concurrency
  allowed_networks  = var.webhooks.allowed_networks
  allowed_ports     = var.webhooks.allowed_ports
  kms_key_arn       = local.kms_key_arn
  tags              = var.tags
}
