variable "name" {
  description = "Name of the cluster, and of what is made here: at most 24 characters."
  type        = string
  nullable    = false

  # The instance profiles that Karpenter makes, and the role's name prefix, have to stay within IAM's limits.
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,22}[a-z0-9]$", var.name))
    error_message = "name is `${var.name}`: use 2 to 24 lower-case letters, digits and hyphens; begin with a letter, end with a letter or a digit."
  }
}

variable "cluster_security_group_id" {
  description = "Security group that EKS made for the cluster: nodes join it, so Karpenter finds it by a tag."
  type        = string
  nullable    = false
}

variable "namespace" {
  description = "Kubernetes namespace of Karpenter."
  type        = string
  default     = "darkroom-system"
  nullable    = false
}

variable "service_account" {
  description = "Kubernetes service account of Karpenter's controller."
  type        = string
  default     = "karpenter"
  nullable    = false
}

variable "volume_kms_key_arns" {
  description = "KMS keys of your own with which nodes' volumes and their snapshots are encrypted; none where EBS's own key does it."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for arn in var.volume_kms_key_arns : can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/", arn))])
    error_message = "volume_kms_key_arns: give the ARN of each key (`arn:…:kms:…:key/…`), not an alias."
  }
}

variable "tags" {
  description = "Tags of everything made here."
  type        = map(string)
  default     = {}
  nullable    = false
}
