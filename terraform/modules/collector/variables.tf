variable "name" {
  description = "Name of the cluster: the role's name begins with it, and the log group bears it."
  type        = string
  nullable    = false
}

variable "log_retention_days" {
  description = "Days for which the log group keeps what metrics were made of; CloudWatch keeps metrics for 15 months."
  type        = number
  default     = 7
  nullable    = false
}

variable "kms_key_arn" {
  description = "KMS key for the log group; null for CloudWatch's own."
  type        = string
  default     = null
}

variable "pod" {
  description = "The collector's service account, which gets the role by EKS Pod Identity; null for a collector that runs elsewhere."
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
