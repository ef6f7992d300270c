variable "name" {
  description = "What topics and queues begin with: `<name>-jobs`, `<name>-results`, `<name>-<runtime>`."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,22}[a-z0-9]$", var.name))
    error_message = "name is `${var.name}`: use 2 to 24 lower-case letters, digits and hyphens; begin with a letter, end with a letter or a digit."
  }
}

variable "runtimes" {
  description = <<-EOT
    Runtimes by name. `bulk`: with a second queue, for jobs of priority bulk. `checkpoints`: those whose v1alpha1 messages it
    takes, which name no runtime.
  EOT
  type = map(object({
    bulk        = optional(bool, false)
    checkpoints = optional(list(string), [])
  }))
  nullable = false

  validation {
    condition     = alltrue([for name in keys(var.runtimes) : can(regex("^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$", name))])
    error_message = "runtimes: a name has 1 to 32 lower-case letters, digits and hyphens, and begins and ends with a letter or a digit: it becomes the name of a queue, a role and a release."
  }

  validation {
    condition     = alltrue([for name in keys(var.runtimes) : !endswith(name, "-bulk") && !endswith(name, "-dlq") && !contains(["webhooks", "interruption"], name)])
    error_message = "runtimes: no name may end in `-bulk` or `-dlq`, or be `webhooks` or `interruption`: other queues are called so."
  }

  validation {
    condition     = length(flatten([for runtime in var.runtimes : runtime.checkpoints])) == length(distinct(flatten([for runtime in var.runtimes : runtime.checkpoints])))
    error_message = "runtimes: a checkpoint belongs to one runtime only, or its jobs would run in each."
  }

  # SNS: at most 150 values in a filter policy, combinations of the two branches included.
  validation {
    condition     = alltrue([for runtime in var.runtimes : length(runtime.checkpoints) <= 100])
    error_message = "runtimes: at most 100 checkpoints each, for SNS bounds a filter policy."
  }
}

variable "visibility_seconds" {
  description = "Length of the agent's lease on a message, in seconds: a lost agent's job is taken up by another after it."
  type        = number
  default     = 60
  nullable    = false

  validation {
    condition     = var.visibility_seconds >= 10 && var.visibility_seconds <= 43200 && floor(var.visibility_seconds) == var.visibility_seconds
    error_message = "visibility_seconds is ${var.visibility_seconds}: use whole seconds, 10 to 43200."
  }
}

variable "attempts" {
  description = "Attempts that a job has before it fails."
  type        = number
  default     = 4
  nullable    = false

  validation {
    condition     = var.attempts >= 1 && var.attempts <= 999 && floor(var.attempts) == var.attempts
    error_message = "attempts is ${var.attempts}: use a whole number, 1 to 999."
  }
}

variable "retention_days" {
  description = "Days that a message may wait in a runtime's queue."
  type        = number
  default     = 4
  nullable    = false

  validation {
    condition     = var.retention_days >= 1 && var.retention_days < 14 && floor(var.retention_days) == var.retention_days
    error_message = "retention_days is ${var.retention_days}: use whole days, 1 to 13; a dead letter keeps the age that it had, and must outlive the queue (14 days)."
  }
}

variable "kms_key_arn" {
  description = "KMS key that encrypts topics and queues, and that SNS may use; null: SQS encrypts with its own."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null ? true : can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/", var.kms_key_arn))
    error_message = "kms_key_arn: give a key's ARN (`arn:…:kms:…:key/…`), not an alias."
  }
}

variable "tracing" {
  description = "Whether the topics record traces in X-Ray; if not, they pass on the sender's all the same."
  type        = bool
  default     = true
  nullable    = false
}

variable "tags" {
  description = "Tags of everything made here; queues get `darkroom:runtime` besides."
  type        = map(string)
  default     = {}
  nullable    = false
}
