variable "name" {
  description = "What the role's name begins with."
  type        = string
  nullable    = false
}

variable "runtime" {
  description = "The runtime whose agent it is."
  type        = string
  nullable    = false
}

variable "queue_arns" {
  description = "The runtime's queue, and its bulk queue if it has one."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.queue_arns) > 0
    error_message = "queue_arns is empty: an agent without a queue has nothing to do."
  }
}

variable "results_topic_arn" {
  description = "Topic that results are told to."
  type        = string
  nullable    = false
}

variable "outputs_bucket_arn" {
  description = "Bucket for artifacts and job documents."
  type        = string
  nullable    = false
}

variable "prefixes" {
  description = "Prefixes that artifacts may be written to; null: any, as the job names it. A job that names another then fails with storage_denied."
  type        = list(string)
  default     = null

  validation {
    condition     = var.prefixes == null ? true : length(var.prefixes) > 0 && alltrue([for prefix in var.prefixes : can(regex("^[A-Za-z0-9][A-Za-z0-9._/-]*$", prefix)) && !endswith(prefix, "/")])
    error_message = "prefixes: write each as jobs do, of letters, digits and `._/-`, without a slash at its end; null allows any."
  }
}

variable "input_bucket_arns" {
  description = "Further buckets that inputs may be read from."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for arn in var.input_bucket_arns : can(regex("^arn:[a-z-]+:s3:::[a-z0-9][a-z0-9.-]+$", arn))])
    error_message = "input_bucket_arns: give each bucket's ARN, `arn:…:s3:::<bucket>`, without a path."
  }
}

variable "kms_key_arns" {
  description = "KMS keys that encrypt queues, topic or buckets."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "pod" {
  description = "Service account that gets the role by EKS Pod Identity; null for an agent that runs elsewhere."
  type = object({
    cluster         = string
    namespace       = string
    service_account = string
  })
  default = null
}

variable "tags" {
  description = "Tags of everything made here; the role gets `darkroom:runtime` besides."
  type        = map(string)
  default     = {}
  nullable    = false
}
