variable "name" {
  description = "Name of the function; log group and role are called after it."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-zA-Z0-9-_]{1,64}$", var.name))
    error_message = "name is `${var.name}`: Lambda takes 1 to 64 letters, digits, hyphens and underscores."
  }
}

variable "description" {
  description = "What the function is for."
  type        = string
  nullable    = false
}

variable "handler" {
  description = "The function in the zip, as `module.function`."
  type        = string
  nullable    = false
}

variable "lambda_zip" {
  description = "Path of the zip that `make lambda` builds."
  type        = string
  nullable    = false

  validation {
    condition     = fileexists(var.lambda_zip)
    error_message = "lambda_zip: there is no file `${var.lambda_zip}`; build it with `make lambda`, or give the path of one."
  }
}

variable "statements" {
  description = "What the function may do: a JSON list of IAM statements. Logs and traces are added."
  type        = string
  nullable    = false
}

variable "environment" {
  description = "Environment variables of the function."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "timeout_seconds" {
  description = "Longest run, in seconds."
  type        = number
  default     = 29
  nullable    = false
}

variable "memory_mib" {
  description = "Memory, which sets the share of a processor, too: 1769 MiB are a whole one."
  type        = number
  default     = 1024
  nullable    = false

  validation {
    condition     = var.memory_mib >= 256 && var.memory_mib <= 10240
    error_message = "memory_mib is ${var.memory_mib}: use 256 to 10240."
  }
}

variable "reserved_concurrency" {
  description = "Instances that are kept for this function, and the most it gets; null shares the account's."
  type        = number
  default     = null

  validation {
    condition     = var.reserved_concurrency == null ? true : var.reserved_concurrency >= 1 && floor(var.reserved_concurrency) == var.reserved_concurrency
    error_message = "reserved_concurrency: use a whole number from 1, or null; 0 would refuse every call."
  }
}

variable "log_level" {
  description = "Least severity that is logged: debug, info, warning or error."
  type        = string
  default     = "info"
  nullable    = false

  validation {
    condition     = contains(["debug", "info", "warning", "error"], var.log_level)
    error_message = "log_level is `${var.log_level}`: use debug, info, warning or error."
  }
}

variable "log_retention_days" {
  description = "Days that logs are kept."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days is ${var.log_retention_days}: CloudWatch takes 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731 and some years."
  }
}

variable "kms_key_arn" {
  description = "KMS key for logs and environment; null: AWS encrypts with its own."
  type        = string
  default     = null
}

variable "tracing" {
  description = "Whether it records traces in X-Ray."
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
