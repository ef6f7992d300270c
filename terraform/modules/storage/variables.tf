variable "name" {
  description = "What new buckets begin with: `<name>-outputs-<account>-<region>`, `<name>-models-<account>-<region>`."
  type        = string
  nullable    = false

  # 24 characters leave room within S3's 63 for the longest region.
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,22}[a-z0-9]$", var.name))
    error_message = "name is `${var.name}`: use 2 to 24 lower-case letters, digits and hyphens; begin with a letter, end with a letter or a digit."
  }
}

variable "outputs_bucket_name" {
  description = "Another name for the bucket of outputs, in place of `<name>-outputs-<account>-<region>`."
  type        = string
  default     = null

  validation {
    condition     = var.outputs_bucket_name == null ? true : can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.outputs_bucket_name))
    error_message = "outputs_bucket_name: use 3 to 63 lower-case letters, digits and hyphens. A dot would break TLS."
  }
}

variable "existing_models_bucket" {
  description = "Name of a bucket that holds the models and named workflows already; null makes one. An existing one is left as it is."
  type        = string
  default     = null

  validation {
    condition     = var.existing_models_bucket == null ? true : can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.existing_models_bucket))
    error_message = "existing_models_bucket: give the bucket's name, not its ARN or URL."
  }
}

variable "artifact_prefixes" {
  description = "Prefixes whose artifacts expire after `expire_days.artifacts`: the runtimes' names, and those that jobs name themselves. What lies under others stays."
  type        = set(string)
  nullable    = false

  validation {
    condition     = alltrue([for prefix in var.artifact_prefixes : can(regex("^[A-Za-z0-9][A-Za-z0-9._/-]*[A-Za-z0-9._-]$|^[A-Za-z0-9]$", prefix)) && !contains(["jobs", "inputs"], split("/", prefix)[0])])
    error_message = "artifact_prefixes: write a prefix as jobs do, without a slash at its ends; `jobs` and `inputs` hold other things."
  }
}

variable "expire_days" {
  description = <<-EOT
    Days after which S3 deletes what lies in the outputs bucket; 0 keeps it. `jobs`: job documents and idempotency keys;
    `inputs`: uploaded images; `artifacts`: images under artifact_prefixes; `old_versions`: of versioned buckets.
  EOT
  type = object({
    jobs         = optional(number, 30)
    inputs       = optional(number, 2)
    artifacts    = optional(number, 30)
    old_versions = optional(number, 7)
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for days in values(var.expire_days) : days >= 0 && floor(days) == days])
    error_message = "expire_days: use whole days; 0 keeps."
  }

  # A message waits up to 13 days; its document must be there when it is delivered, or a job would run again.
  validation {
    condition     = var.expire_days.jobs == 0 || var.expire_days.jobs >= 14
    error_message = "expire_days.jobs: keep documents at least 14 days, longer than any message lives, or a late delivery would run a job again."
  }

  validation {
    condition     = var.expire_days.old_versions != 0
    error_message = "expire_days.old_versions: name days; versions that nothing ends are paid for for ever."
  }
}

variable "versioned" {
  description = "Buckets whose objects keep their old versions: `outputs`, `models`. Nothing here overwrites an artifact; versions guard against hands."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(setsubtract(var.versioned, ["outputs", "models"])) == 0
    error_message = "versioned: name `outputs`, `models`, both, or none."
  }

  validation {
    condition     = !(contains(var.versioned, "models") && var.existing_models_bucket != null)
    error_message = "versioned: the models bucket exists already and is left as it is; set its versioning where it was made."
  }
}

variable "cors_origins" {
  description = "Origins whose pages may upload inputs and load artifacts, as `https://host`."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for origin in var.cors_origins : can(regex("^https?://[^/*]+$", origin))])
    error_message = "cors_origins: write each as `https://host`, without a path or `*`."
  }
}

variable "kms_key_arn" {
  description = "KMS key that encrypts new buckets; null: S3 encrypts with its own."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null ? true : can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/", var.kms_key_arn))
    error_message = "kms_key_arn: give a key's ARN (`arn:…:kms:…:key/…`), not an alias."
  }
}

variable "access_logs_bucket" {
  description = "Bucket that S3 writes access logs to, under each bucket's name; null: none. It must let logging.s3.amazonaws.com write."
  type        = string
  default     = null
}

variable "force_destroy" {
  description = "Whether `terraform destroy` deletes buckets with what is in them."
  type        = bool
  default     = false
  nullable    = false
}

variable "tags" {
  description = "Tags of everything made here."
  type        = map(string)
  default     = {}
  nullable    = false
}
