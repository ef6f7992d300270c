variable "system_nodes" {
  description = <<-EOT
    The node group for system pods (Karpenter, KEDA, DNS): Graviton instances with Bottlerocket. `count` nodes, and up to
    twice as many while they are replaced; `disk_gib` holds images and logs of each.
  EOT
  type = object({
    instance_types = optional(list(string), ["t4g.medium"])
    count          = optional(number, 2)
    disk_gib       = optional(number, 30)
  })
  default  = {}
  nullable = false

  validation {
    condition     = length(var.system_nodes.instance_types) > 0 && alltrue([for type in var.system_nodes.instance_types : can(regex("^[a-z]+[0-9]+g[a-z]*\\.[a-z0-9]+$", type))])
    error_message = "system_nodes.instance_types: name Graviton types (a `g` behind the generation), such as t4g.medium or m7g.large."
  }

  validation {
    condition     = var.system_nodes.count >= 2 && var.system_nodes.count <= 20 && floor(var.system_nodes.count) == var.system_nodes.count
    error_message = "system_nodes.count is ${var.system_nodes.count}: use 2 to 20. Karpenter's two replicas run on different nodes, or a lost node stops all scaling."
  }

  validation {
    condition     = var.system_nodes.disk_gib >= 20 && var.system_nodes.disk_gib <= 1000
    error_message = "system_nodes.disk_gib is ${var.system_nodes.disk_gib}: use 20 to 1000."
  }
}

variable "addon_versions" {
  description = <<-EOT
    Versions of the EKS add-ons, such as `{ vpc-cni = "v1.20.4-eksbuild.1" }`; one that is not named gets EKS's default for
    `kubernetes_version` when it is made, and keeps it. `aws eks describe-addon-versions` lists them. The S3 driver is 2.x.
  EOT
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition = length(setsubtract(keys(var.addon_versions), [
      "vpc-cni", "kube-proxy", "eks-pod-identity-agent", "coredns", "metrics-server", "aws-mountpoint-s3-csi-driver",
    ])) == 0
    error_message = "addon_versions: ${join(", ", keys(var.addon_versions))} names an add-on that is not installed here: vpc-cni, kube-proxy, eks-pod-identity-agent, coredns, metrics-server, aws-mountpoint-s3-csi-driver."
  }

  validation {
    condition     = alltrue([for version in values(var.addon_versions) : can(regex("^v[0-9]+\\.[0-9]+\\.[0-9]+-eksbuild\\.[0-9]+$", version))])
    error_message = "addon_versions: a version looks like v1.20.4-eksbuild.1; `aws eks describe-addon-versions` lists them."
  }

  validation {
    condition     = startswith(lookup(var.addon_versions, "aws-mountpoint-s3-csi-driver", "v2."), "v2.")
    error_message = "addon_versions: the runtime chart mounts models as driver 2.x does; pin aws-mountpoint-s3-csi-driver to a v2 version."
  }
}

variable "reserve_mountpoint_headroom" {
  description = <<-EOT
    Whether the S3 driver reserves room for the pods that it mounts with, so that Karpenter picks a node that fits both (an
    experimental feature of the driver; pods that carry its scheduling gate wait for ever without it).
  EOT
  type        = bool
  default     = false
  nullable    = false
}

variable "models_bucket_arn" {
  description = "Bucket that the S3 driver may mount, read-only."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:[a-z-]+:s3:::[a-z0-9][a-z0-9.-]+$", var.models_bucket_arn))
    error_message = "models_bucket_arn is `${var.models_bucket_arn}`: give the ARN of a bucket (`arn:…:s3:::name`), without a path."
  }
}

variable "models_kms_key_arn" {
  description = "KMS key with which that bucket is encrypted; null where S3's own keys do it."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags of everything made here."
  type        = map(string)
  default     = {}
  nullable    = false
}
