# What of Darkroom an emulator can make, wired as the root module does it. Lambda's functions and EKS it cannot.

terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 7.0"
    }
  }
}

provider "aws" {
  s3_use_path_style = true # an emulator on loopback has no name for each bucket
}

variable "lambda_zip" {
  description = "Any file: the functions are not made here."
  type        = string
}

locals {
  name     = "flow"
  runtimes = { bulky = { bulk = true, checkpoints = ["sharp"] }, sd = { bulk = false, checkpoints = [] } }
}

module "messaging" {
  source = "../../../terraform/modules/messaging"

  name     = local.name
  runtimes = local.runtimes
}

module "storage" {
  source = "../../../terraform/modules/storage"

  name              = local.name
  artifact_prefixes = keys(local.runtimes)
  versioned         = ["models"]
  cors_origins      = ["https://studio.example.com"]
  force_destroy     = true
}

module "agent" {
  source   = "../../../terraform/modules/agent"
  for_each = local.runtimes

  name               = local.name
  runtime            = each.key
  queue_arns         = [for arn in [module.messaging.runtimes[each.key].queue_arn, module.messaging.runtimes[each.key].bulk_queue_arn] : arn if arn != null]
  results_topic_arn  = module.messaging.results_topic_arn
  outputs_bucket_arn = module.storage.outputs_bucket_arn
}

module "keda" {
  source = "../../../terraform/modules/keda"

  name       = local.name
  queue_arns = module.messaging.queue_arns
}

module "snapshot" {
  source = "../../../terraform/modules/snapshot"

  name            = local.name
  repository_arns = ["arn:aws:ecr:us-east-1:000000000000:repository/flow/comfyui"]
}

module "key" {
  source = "../../../terraform/modules/key"

  name = local.name
}

module "api" {
  source = "../../../terraform/modules/api"

  name         = local.name
  openapi_file = "${path.module}/../../../api/darkroom_api/openapi.yaml"
  # As Lambda would answer; the function itself needs containers.
  invoke_arn   = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:000000000000:function:flow-jobs/invocations"
  tenants      = { acme = {} }
  cors_origins = ["https://studio.example.com"]
  tracing      = false
}

module "jobs" {
  source = "../../../terraform/modules/jobs"

  name              = local.name
  function          = { lambda_zip = var.lambda_zip }
  outputs_bucket    = module.storage.outputs_bucket
  models_bucket     = module.storage.models_bucket
  jobs_topic_arn    = module.messaging.jobs_topic_arn
  queue_url_prefix  = module.messaging.queue_url_prefix
  api_execution_arn = module.api.execution_arn
  runtimes          = { bulky = { type = "comfyui", bulk = true }, sd = { type = "sdwebui" } }
}

module "webhooks" {
  source = "../../../terraform/modules/webhooks"

  name              = local.name
  function          = { lambda_zip = var.lambda_zip }
  results_topic_arn = module.messaging.results_topic_arn
  outputs_bucket    = module.storage.outputs_bucket
}

module "observability" {
  source = "../../../terraform/modules/observability"

  name              = local.name
  api_name          = module.api.name
  webhooks_dlq_name = module.webhooks.dlq_name
  functions         = { jobs = "${local.name}-jobs", webhooks = "${local.name}-webhooks" } # not applied here
  tracing           = false
  runtimes = { for name in keys(local.runtimes) : name => {
    queue_name         = module.messaging.runtimes[name].queue_name
    bulk_queue_name    = module.messaging.runtimes[name].bulk_queue_name
    dlq_name           = module.messaging.runtimes[name].dlq_name
    max_age_seconds    = 900
    cold_start_seconds = 360
  } }
}

output "jobs_topic_arn" {
  description = "Topic of jobs."
  value       = module.messaging.jobs_topic_arn
}

output "results_topic_arn" {
  description = "Topic of results."
  value       = module.messaging.results_topic_arn
}

output "runtimes" {
  description = "Queues."
  value       = module.messaging.runtimes
}

output "buckets" {
  description = "The bucket of outputs, and the one of models."
  value       = [module.storage.outputs_bucket, module.storage.models_bucket]
}

output "webhooks" {
  description = "The queue of webhooks, its dead letters, and where the secrets lie."
  value = {
    queue_url    = module.webhooks.queue_url
    queue_arn    = module.webhooks.queue_arn
    dlq_url      = module.webhooks.dlq_url
    secrets_path = module.webhooks.secrets_path
  }
}
