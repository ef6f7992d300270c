variable "name" {
  description = "What function and queue begin with: `<name>-webhooks`. Secrets lie under `/<name>/webhooks/` in SSM."
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
    memory_mib           = optional(number, 512)
    reserved_concurrency = optional(number)
    log_level            = optional(string, "info")
    log_retention_days   = optional(number, 30)
    tracing              = optional(bool, true)
  })
  nullable = false
}

variable "results_topic_arn" {
  description = "Topic that results are told to."
  type        = string
  nullable    = false
}

variable "outputs_bucket" {
  description = "Name of the bucket for artifacts and documents."
  type        = string
  nullable    = false
}

variable "attempts" {
  description = "Calls of a webhook before its notification goes to the dead letters; the pauses between them grow to an hour."
  type        = number
  default     = 16
  nullable    = false

  validation {
    condition     = var.attempts >= 1 && var.attempts <= 1000 && floor(var.attempts) == var.attempts
    error_message = "attempts is ${var.attempts}: use a whole number, 1 to 1000."
  }
}

variable "max_concurrency" {
  description = "Batches that are worked on at once, at most."
  type        = number
  default     = 10
  nullable    = false

  validation {
    condition     = var.max_concurrency >= 2 && var.max_concurrency <= 1000 && floor(var.max_concurrency) == var.max_concurrency
    error_message = "max_concurrency is ${var.max_concurrency}: Lambda takes a whole number, 2 to 1000."
  }

  validation {
    condition     = var.function.reserved_concurrency == null ? true : var.max_concurrency <= var.function.reserved_concurrency
    error_message = "max_concurrency is ${var.max_concurrency}: it must not be above function.reserved_concurrency, or throttled batches use up their attempts."
  }
}

variable "allowed_networks" {
  description = "Private networks (CIDR) that webhooks may lead to; public addresses are allowed in any case."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for network in var.allowed_networks : can(cidrhost(network, 0))])
    error_message = "allowed_networks: write each as CIDR, `10.1.0.0/16`."
  }
}

variable "allowed_ports" {
  description = "Ports that webhooks may lead to, beside 80, 443, 8080 and 8443."
  type        = list(number)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for port in var.allowed_ports : port >= 1 && port <= 65535 && floor(port) == port])
    error_message = "allowed_ports: a port is a whole number, 1 to 65535."
  }
}

variable "kms_key_arn" {
  description = "KMS key of queue, outputs bucket and secrets, used for logs and environment, too; null: AWS's own."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags of everything made here."
  type        = map(string)
  default     = {}
  nullable    = false
}
