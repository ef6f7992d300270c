variable "name" {
  description = "Prefix of the repositories: `<name>/<repository>`."
  type        = string
  nullable    = false
}

variable "repositories" {
  description = "Repositories to make, one an image."
  type        = set(string)
  default     = ["agent", "sdwebui", "comfyui"]
  nullable    = false

  validation {
    condition     = alltrue([for name in var.repositories : can(regex("^[a-z0-9]+([._/-][a-z0-9]+)*$", name))])
    error_message = "repositories: use lower-case letters and digits, parted by `.`, `_`, `-` or `/`."
  }
}

variable "kms_key_arn" {
  description = "KMS key that encrypts the images; null leaves it to ECR's own encryption. It cannot be changed later without making the repositories anew."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null ? true : can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/", var.kms_key_arn))
    error_message = "kms_key_arn: give a key's ARN (`arn:…:kms:…:key/…`), not an alias."
  }
}

variable "keep_images" {
  description = "Tagged images that each repository keeps, newest first; older ones are deleted, so keep more than you may go back to. 0 keeps all."
  type        = number
  default     = 100
  nullable    = false

  validation {
    condition     = var.keep_images == 0 || (var.keep_images >= 10 && floor(var.keep_images) == var.keep_images)
    error_message = "keep_images is ${var.keep_images}: keep at least 10, or a rollback may find its image gone; 0 keeps all."
  }
}

variable "force_delete" {
  description = "Whether `terraform destroy` deletes repositories that still hold images."
  type        = bool
  default     = false
  nullable    = false
}

variable "pull_through_caches" {
  description = <<-EOT
    Registries whose images ECR keeps a copy of: prefix → registry. `credential_arn` is a secret named `ecr-pullthroughcache/…`,
    which Docker Hub, GitHub and others require; public.ecr.aws, registry.k8s.io and quay.io do not.
  EOT
  type = map(object({
    registry       = string
    credential_arn = optional(string)
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for prefix in keys(var.pull_through_caches) : can(regex("^[a-z0-9]+([._-][a-z0-9]+)*$", prefix)) && length(prefix) >= 2 && length(prefix) <= 30])
    error_message = "pull_through_caches: a prefix has 2 to 30 lower-case letters and digits, parted by `.`, `_` or `-`."
  }

  validation {
    condition = alltrue([for cache in var.pull_through_caches : cache.credential_arn != null || contains(
      ["public.ecr.aws", "registry.k8s.io", "quay.io"], cache.registry
    )])
    error_message = "pull_through_caches: only public.ecr.aws, registry.k8s.io and quay.io go without `credential_arn`; the others answer ECR only with credentials."
  }

  validation {
    condition     = alltrue([for cache in var.pull_through_caches : cache.credential_arn == null ? true : strcontains(cache.credential_arn, ":secret:ecr-pullthroughcache/")])
    error_message = "pull_through_caches: ECR reads only secrets whose name begins with `ecr-pullthroughcache/`."
  }
}

variable "tags" {
  description = "Tags of everything made here."
  type        = map(string)
  default     = {}
  nullable    = false
}
