variable "cluster" {
  description = <<-EOT
    The EKS cluster; what is left out takes the default of modules/cluster, where each is described.
    `admin_arns` (required): IAM roles or users that administer it. `public_access_cidrs`: networks from which its API is reached
    over the internet; without them it is reached from the VPC alone. `system_nodes` = { instance_types, count, disk_gib }.
  EOT
  type = object({
    admin_arns          = set(string)
    viewer_arns         = optional(set(string))
    public_access_cidrs = optional(set(string))
    kubernetes_version  = optional(string)
    secrets_kms_key_arn = optional(string)
    log_types           = optional(set(string))
    log_retention_days  = optional(number)
    system_nodes = optional(object({
      instance_types = optional(list(string))
      count          = optional(number)
      disk_gib       = optional(number)
    }))
    addon_versions              = optional(map(string))
    reserve_mountpoint_headroom = optional(bool)
  })
  nullable = false
}

variable "platform_namespace" {
  description = "Kubernetes namespace into which charts/platform is installed: Karpenter, KEDA and the collector have their AWS roles there."
  type        = string
  default     = "darkroom-system"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", var.platform_namespace))
    error_message = "platform_namespace is `${var.platform_namespace}`: a namespace has at most 63 lower-case letters, digits and hyphens, and begins and ends with a letter or a digit."
  }
}

variable "node_volume_kms_key_arns" {
  description = "KMS keys of your own that encrypt the volumes of GPU nodes, where the runtime chart names one; none where EBS's own key does it."
  type        = set(string)
  default     = []
  nullable    = false
}
