variable "encryption" {
  description = <<-EOT
    What encrypts queues, topics, buckets and logs: `kms_key_arn` (a key that is there, whose policy lets SNS and CloudWatch Logs use
    it), `create_key` (make one), or neither: AWS's own keys.
  EOT
  type = object({
    kms_key_arn          = optional(string)
    create_key           = optional(bool, false)
    deletion_window_days = optional(number, 30)
  })
  default  = {}
  nullable = false

  validation {
    condition     = !(var.encryption.create_key && var.encryption.kms_key_arn != null)
    error_message = "encryption: give `kms_key_arn` or set `create_key`, not both."
  }
}

variable "messaging" {
  description = "Queues: `visibility_seconds` (the lease), `attempts` of a job, `retention_days` of a message; as modules/messaging describes them."
  type = object({
    visibility_seconds = optional(number)
    attempts           = optional(number)
    retention_days     = optional(number)
  })
  default  = {}
  nullable = false
}

variable "storage" {
  description = <<-EOT
    Buckets; what is left out takes the default of modules/storage, where each is described. `artifact_prefixes`: beside the runtimes'
    names. `models_kms_key_arn`: the key of an existing models bucket, if it has one.
  EOT
  type = object({
    outputs_bucket_name    = optional(string)
    existing_models_bucket = optional(string)
    models_kms_key_arn     = optional(string)
    artifact_prefixes      = optional(set(string), [])
    expire_days = optional(object({
      jobs         = optional(number)
      inputs       = optional(number)
      artifacts    = optional(number)
      old_versions = optional(number)
    }))
    versioned          = optional(set(string))
    access_logs_bucket = optional(string)
    force_destroy      = optional(bool)
  })
  default  = {}
  nullable = false
}

variable "api" {
  description = <<-EOT
    The HTTP API; what is left out takes the default of modules/api and modules/jobs, where each is described.
    `lambda_zip`: path of the zip (default: dist/lambda.zip, as `make lambda` builds it). `tenants`: name → { plan, keys }.
  EOT
  type = object({
    lambda_zip    = optional(string)
    stage         = optional(string)
    authorization = optional(string)
    throttle      = optional(object({ rate = optional(number), burst = optional(number) }))
    usage_plans = optional(map(object({
      rate  = number
      burst = number
      quota = optional(object({ requests = number, period = string }))
    })))
    tenants = optional(map(object({
      plan = optional(string)
      keys = optional(set(string))
    })))
    cors_origins         = optional(list(string), [])
    domain               = optional(object({ name = string, certificate_arn = string, zone_id = optional(string) }))
    web_acl_arn          = optional(string)
    account_logging      = optional(bool)
    memory_mib           = optional(number)
    reserved_concurrency = optional(number)
    log_level            = optional(string)
    log_retention_days   = optional(number)
  })
  default  = {}
  nullable = false
}

variable "webhooks" {
  description = "Webhooks; what is left out takes the default of modules/webhooks, where each is described."
  type = object({
    attempts             = optional(number)
    max_concurrency      = optional(number)
    allowed_networks     = optional(list(string))
    allowed_ports        = optional(list(number))
    reserved_concurrency = optional(number)
  })
  default  = {}
  nullable = false
}

variable "tracing" {
  description = "X-Ray: whether it is used, and the share of requests that it records."
  type = object({
    enabled       = optional(bool, true)
    sampling_rate = optional(number)
  })
  default  = {}
  nullable = false
}

variable "pods_log_retention_days" {
  description = "Days for which the logs of all pods are kept, in the log group `/darkroom/<name>/pods`."
  type        = number
  default     = 30
  nullable    = false
}

variable "dashboard" {
  description = "Whether a CloudWatch dashboard of health, waiting, cost and the API is made, called after `name`; an account's first three cost nothing."
  type        = bool
  default     = false
  nullable    = false
}

variable "runtime_dashboards" {
  description = "Whether each runtime has a dashboard of its own besides, called `<name>-<runtime>`; an account's first three cost nothing."
  type        = bool
  default     = false
  nullable    = false
}

variable "alarm_failure_percent" {
  description = "Share of a runtime's jobs that fail by the service's fault, in percent, above which an alarm goes off."
  type        = number
  default     = 10
  nullable    = false
}

variable "runbooks" {
  description = "Where the alarms' pages are, with which their descriptions end: docs/how-to/alarms of this repository, or a URL under which you serve it."
  type        = string
  default     = "docs/how-to/alarms"
  nullable    = false
}

variable "alarm_actions" {
  description = "What an alarm calls when it begins and when it ends: ARNs of SNS topics, say."
  type        = list(string)
  default     = []
  nullable    = false
}
