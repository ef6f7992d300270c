variable "name" {
  description = "What the function's name begins with, and its queues'."
  type        = string
  nullable    = false
}

variable "function" {
  description = <<-EOT
    How the function runs, each as modules/function describes it. `lambda_zip`: path of the zip that `make lambda` builds.
    `log_level` is the handler's, too.
  EOT
  type = object({
    lambda_zip           = string
    memory_mib           = optional(number, 1024)
    reserved_concurrency = optional(number)
    log_level            = optional(string, "info")
    log_retention_days   = optional(number, 30)
    tracing              = optional(bool, true)
  })
  nullable = false
}

variable "outputs_bucket" {
  description = "Name of the bucket for artifacts, documents and inputs."
  type        = string
  nullable    = false
}

variable "models_bucket" {
  description = "Name of the bucket whose `workflows/` holds the named workflows."
  type        = string
  nullable    = false
}

variable "jobs_topic_arn" {
  description = "Topic that jobs are published to."
  type        = string
  nullable    = false
}

variable "queue_url_prefix" {
  description = "What every runtime's queue URL begins with."
  type        = string
  nullable    = false
}

variable "runtimes" {
  description = "Runtimes by name, with what the API knows of them; null leaves a value to the API's default."
  type = map(object({
    type                = string
    bulk                = optional(bool)
    checkpoints         = optional(list(string))
    job_seconds         = optional(number)
    target_wait_seconds = optional(number)
    max_replicas        = optional(number)
    cold_start_seconds  = optional(number)
  }))
  nullable = false

  validation {
    condition     = length(var.runtimes) > 0
    error_message = "runtimes is empty: an API without a runtime can take no job; name at least one."
  }
}

variable "tenants" {
  description = "Id of an API key → the tenant whose it is."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "cors_origins" {
  description = "Sites whose pages may call the API, as `https://host`."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "webhook_policy" {
  description = "Variables that say where webhooks may lead, as module webhooks tells them: the API refuses what is never sent."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "api_execution_arn" {
  description = "Execution ARN of the API that may call the function."
  type        = string
  nullable    = false
}

variable "kms_key_arn" {
  description = "KMS key of topics and the outputs bucket, used for logs and environment, too; null: AWS's own."
  type        = string
  default     = null
}

variable "models_kms_key_arn" {
  description = "KMS key of the models bucket, if it has one."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags of everything made here."
  type        = map(string)
  default     = {}
  nullable    = false
}
