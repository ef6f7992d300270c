variable "runtimes" {
  description = <<-EOT
    The runtimes, by name: one entry each, and all that belongs to it follows: queues, role, alarms, and the values of its release.
    `type`: the API that it speaks, sdwebui, comfyui or openai. `bulk`: with a second queue for bulk work. `checkpoints`: those whose v1alpha1
    messages it takes. `dynamic_model`: it switches checkpoints as jobs name them (sdwebui). `concurrency`: jobs that it runs at once (openai).
    Scaling: `job_seconds` (a job's usual run), `target_wait_seconds` (how long a job may wait for a pod), `min_replicas`,
    `max_replicas`, `cold_start_seconds` (from no pod to the first job, for estimates; twice that without a pod raises an alarm).
    `prefixes`: where artifacts may go (null: anywhere). `input_buckets`: further buckets that inputs may come from.
    `image` = { repository, tag } of the runtime; without them, its type's repository in ECR and the chart's tag
    (an openai runtime names its own).
    `nodes`: what its GPU nodes are, as charts/runtime takes it. `settings`: further variables of the agent (docs/reference/environment.md).
    `alarm_age_seconds`: the age of a waiting job that raises an alarm (null: none).
  EOT
  type = map(object({
    type                = string
    bulk                = optional(bool, false)
    checkpoints         = optional(list(string), [])
    dynamic_model       = optional(bool, false)
    concurrency         = optional(number, 1)
    job_seconds         = optional(number, 10)
    target_wait_seconds = optional(number, 60)
    min_replicas        = optional(number, 0)
    max_replicas        = optional(number, 10)
    cold_start_seconds  = optional(number, 180)
    prefixes            = optional(list(string))
    input_buckets       = optional(list(string), [])
    image               = optional(object({ repository = optional(string), tag = optional(string) }), {})
    nodes = optional(object({
      instance_types = optional(list(string), ["g5.xlarge", "g6.xlarge"])
      capacity_types = optional(list(string), ["spot", "on-demand"])
    }), {})
    settings          = optional(map(string), {})
    alarm_age_seconds = optional(number, 1800)
  }))
  nullable = false

  validation {
    condition     = length(var.runtimes) > 0
    error_message = "runtimes is empty: name at least one, as `{ sdxl = { type = \"comfyui\" } }`."
  }

  validation {
    condition     = alltrue([for runtime in var.runtimes : contains(["sdwebui", "comfyui", "openai"], runtime.type)])
    error_message = "runtimes: type is sdwebui, comfyui or openai."
  }

  validation {
    condition     = alltrue([for runtime in var.runtimes : !runtime.dynamic_model || runtime.type == "sdwebui"])
    error_message = "runtimes: only sdwebui switches checkpoints (dynamic_model); a ComfyUI workflow loads its own."
  }

  validation {
    condition     = alltrue([for runtime in var.runtimes : runtime.type != "openai" || runtime.image.repository != null])
    error_message = "runtimes: a runtime of type openai names the repository of its image, for none of ours speaks that API: `image = { repository = \"…\", tag = \"…\" }`."
  }

  validation {
    condition     = alltrue([for runtime in var.runtimes : contains(range(1, runtime.type == "openai" ? 65 : 2), runtime.concurrency)])
    error_message = "runtimes: concurrency is a whole number, 1 to 64 for type openai, whose servers batch; the others run one job at a time."
  }

  validation {
    condition     = alltrue([for runtime in var.runtimes : runtime.job_seconds > 0 && runtime.target_wait_seconds > 0 && runtime.cold_start_seconds >= 0])
    error_message = "runtimes: job_seconds and target_wait_seconds are above 0, cold_start_seconds is not below 0."
  }

  validation {
    condition     = alltrue([for runtime in var.runtimes : runtime.min_replicas >= 0 && runtime.max_replicas >= 1 && runtime.min_replicas <= runtime.max_replicas])
    error_message = "runtimes: min_replicas is at least 0, max_replicas at least 1 and not below min_replicas."
  }

  validation {
    condition     = alltrue([for runtime in var.runtimes : length(runtime.nodes.instance_types) > 0 && length(runtime.nodes.capacity_types) > 0 && length(setsubtract(runtime.nodes.capacity_types, ["spot", "on-demand"])) == 0])
    error_message = "runtimes: nodes names at least one instance type; capacity_types are spot, on-demand, or both."
  }

  validation {
    condition     = alltrue(flatten([for runtime in var.runtimes : [for bucket in runtime.input_buckets : can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", bucket))]]))
    error_message = "runtimes: input_buckets are names of buckets, not ARNs or URLs."
  }

  # Each of these has a home of its own, and would be said twice.
  validation {
    condition = length(setintersection(flatten([for runtime in var.runtimes : keys(runtime.settings)]), [
      "SQS_QUEUE_URL", "SQS_BULK_QUEUE_URL", "SNS_TOPIC_ARN", "S3_BUCKET", "RUNTIME_NAME", "RUNTIME_TYPE", "DYNAMIC_SD_MODEL",
      "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL", "VISIBILITY_SECONDS", "MAX_ATTEMPTS", "API_BASE_URL", "RUNTIME_MARK_FILE", "GRACE_SECONDS",
      "MAX_JOB_SECONDS", "RUNTIME_CONCURRENCY", "WARMUP_JOB", "RECYCLE_AFTER_JOBS", "RECYCLE_ABOVE_BYTES", "OTEL_EXPORTER_OTLP_ENDPOINT",
      "ALLOWED_INPUT_BUCKETS", "ALLOWED_INPUT_HOSTS", "ALLOWED_INPUT_NETWORKS", "ALLOWED_INPUT_PORTS", "POD_NAME", "POD_NAMESPACE", "ALIVE_FILE",
      "POD_PRICE", "NODE_PRICES", "NODE_NAME", "ACCELERATOR_RESOURCE", "ACCELERATORS",
    ])) == 0
    error_message = "runtimes: settings names a variable that Terraform sets, or charts/runtime from a value of its own (agent.settings there says which); leave it out."
  }

  validation {
    condition     = alltrue(flatten([for runtime in var.runtimes : [for name in keys(runtime.settings) : can(regex("^[A-Z][A-Z0-9_]*$", name))]]))
    error_message = "runtimes: settings are environment variables of the agent, in capitals: `PREFETCH`, `LOGLEVEL`."
  }
}

variable "runtimes_namespace" {
  description = "Kubernetes namespace into which the runtimes are installed: their agents have their AWS roles there."
  type        = string
  default     = "darkroom"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", var.runtimes_namespace))
    error_message = "runtimes_namespace is `${var.runtimes_namespace}`: a namespace has at most 63 lower-case letters, digits and hyphens, and begins and ends with a letter or a digit."
  }
}
