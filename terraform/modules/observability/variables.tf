variable "name" {
  description = "What alarms and groups are called after."
  type        = string
  nullable    = false
}

variable "runtimes" {
  description = "Runtimes by name: their queues' names; the age of a waiting job, in seconds, that is too much, and the seconds within which the first pod should have started (null: no alarm)."
  type = map(object({
    queue_name         = string
    bulk_queue_name    = optional(string)
    dlq_name           = string
    max_age_seconds    = optional(number)
    cold_start_seconds = optional(number)
  }))
  nullable = false

  validation {
    condition     = alltrue([for runtime in var.runtimes : runtime.max_age_seconds == null ? true : runtime.max_age_seconds >= 60])
    error_message = "runtimes: max_age_seconds is at least 60, for the metric comes once a minute; null makes no alarm."
  }
}

variable "webhooks_dlq_name" {
  description = "Name of the queue of webhooks that could not be delivered; null: no alarm."
  type        = string
  default     = null
}

variable "functions" {
  description = "Lambda functions that are watched, by what they are called in alarms: `jobs`, `webhooks`."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "failure_percent" {
  description = "Share of jobs that fail by the service's fault, in percent, above which an alarm goes off."
  type        = number
  default     = 10
  nullable    = false

  validation {
    condition     = var.failure_percent >= 0 && var.failure_percent < 100
    error_message = "failure_percent is ${var.failure_percent}: use 0 up to 100, without 100, which nothing is above."
  }
}

variable "runbooks" {
  description = "Where the alarms' pages are: each alarm's description ends with its own. A path in the repository, or the URL under which you serve it."
  type        = string
  default     = "docs/how-to/alarms"
  nullable    = false

  validation {
    condition     = can(regex("^[^ ]*[^ /]$", var.runbooks)) && length(var.runbooks) <= 500
    error_message = "runbooks is `${var.runbooks}`: give a path or URL of at most 500 characters, without blanks and without a slash at its end."
  }
}

variable "runtime_dashboards" {
  description = "Whether each runtime has a dashboard of its own besides; CloudWatch takes money for more than three."
  type        = bool
  default     = true
  nullable    = false
}

variable "dashboard" {
  description = "Whether an overview is made; CloudWatch takes money for more than three dashboards."
  type        = bool
  default     = true
  nullable    = false
}

variable "api_name" {
  description = "Name of the REST API; null: no alarm."
  type        = string
  default     = null
}

variable "alarm_actions" {
  description = "What an alarm calls when it begins and when it ends: ARNs of SNS topics, say."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(var.alarm_actions) <= 5 && alltrue([for arn in var.alarm_actions : startswith(arn, "arn:")])
    error_message = "alarm_actions: give at most 5 ARNs."
  }
}

variable "sampling_rate" {
  description = "Share of requests that X-Ray records, 0 to 1, beside the first of each second."
  type        = number
  default     = 0.05
  nullable    = false

  validation {
    condition     = var.sampling_rate >= 0 && var.sampling_rate <= 1
    error_message = "sampling_rate is ${var.sampling_rate}: use a share, 0 to 1."
  }
}

variable "tracing" {
  description = "Whether X-Ray is used at all."
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
