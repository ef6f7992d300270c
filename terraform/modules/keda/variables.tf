variable "name" {
  description = "What the role's name begins with."
  type        = string
  nullable    = false
}

variable "queue_arns" {
  description = "The queues of all runtimes, bulk queues included."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.queue_arns) > 0
    error_message = "queue_arns is empty: without a runtime KEDA needs no role; leave this module out."
  }
}

variable "pod" {
  description = "KEDA's service account, which gets the role by EKS Pod Identity; null for a KEDA that runs elsewhere."
  type = object({
    cluster         = string
    namespace       = string
    service_account = string
  })
  default = null
}

variable "tags" {
  description = "Tags of everything made here."
  type        = map(string)
  default     = {}
  nullable    = false
}
