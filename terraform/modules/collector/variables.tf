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

variable "pods_log_retention_days" {
  description = "Days for which the logs of all pods are kept."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.pods_log_retention_days)
    error_message = "pods_log_retention_days is ${var.pods_log_retention_days}: CloudWatch knows 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 and 3653."
  }
}

variable "logs_pod" {
  description = "The service account of the collector of logs, which gets its role by EKS Pod Identity; null for one that runs elsewhere."
  type = object({
    cluster         = string
    namespace       = string
    service_account = string
  })
  default = null
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
