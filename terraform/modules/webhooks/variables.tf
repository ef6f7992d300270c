variable "name" {
  description = "What function and queue begin with: `<name>-webhooks`. Secrets lie under `/<name>/webhooks/` in SSM."
  type        = string
  nullable    = false
}

variable "lambda_zip" {
  description = "Path of the zip that `make lambda` builds."
  type        = string
  nullable    = false
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
    condition     = var.reserved_concurrency == null ? true : var.max_concurrency <= var.reserved_concurrency
    error_message = "max_concurrency is ${var.max_concurrency}: it must not be above reserved_concurrency, or throttled batches use up their attempts."
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

variable "memory_mib" {
  description = "Memory of the function, in MiB."
  type        = number
  default     = 512
  nullable    = false
}

variable "reserved_concurrency" {
  description = "Instances that are kept for the function, and the most it gets; null shares the account's."
  type        = number
  default     = null
}

variable "log_level" {
  description = "Least severity that is logged: debug, info, warning or error."
  type        = string
  default     = "info"
  nullable    = false
}

variable "log_retention_days" {
  description = "Days that logs are kept."
  type        = number
  default     = 30
  nullable    = false
}

variable "kms_key_arn" {
  description = "KMS key of queue, outputs bucket and secrets, used for logs and environment, too; null: AWS's own."
  type        = string
  default     = null
}

variable "tracing" {
  description = "Whether the function records traces in X-Ray."
  type        = bool
  default     = true
  nullable    = false
}

variable "tags" {
  description = "Tags of everything made here."
  type        = map(string)
  default     = {}
  nullable    = false
}
