# What charts/runtime takes for each runtime, and what the command line is configured with.

output "runtime_values" {
  description = "Runtime → values of its charts/runtime release, YAML: `terraform output -json runtime_values | jq -r .sdxl > sdxl.yaml`."
  value = { for name, runtime in var.runtimes : name => yamlencode({
    runtime = {
      name         = name
      type         = runtime.type
      image        = { repository = coalesce(runtime.image.repository, try(module.images.repository_urls[runtime.type], null), "darkroom/${runtime.type}"), tag = runtime.image.tag }
      dynamicModel = runtime.dynamic_model
      concurrency  = runtime.concurrency
    }
    agent = {
      image    = { repository = try(module.images.repository_urls["agent"], "darkroom/agent") }
      settings = runtime.settings
    }
    aws = { region = data.aws_region.current.id }
    queue = {
      url               = module.messaging.runtimes[name].queue_url
      bulkUrl           = module.messaging.runtimes[name].bulk_queue_url
      visibilitySeconds = module.messaging.visibility_seconds
      maxAttempts       = module.messaging.attempts
    }
    results = { topicArn = module.messaging.results_topic_arn }
    outputs = { bucket = module.storage.outputs_bucket }
    inputs  = { buckets = runtime.input_buckets }
    # The collector and the priority class are charts/platform's.
    telemetry     = { otlpEndpoint = var.tracing.enabled ? "http://darkroom-collector.${var.platform_namespace}:4318" : "" }
    networkPolicy = { collectorNamespace = var.platform_namespace }
    pod           = { priorityClassName = "darkroom-runtime" }
    models = {
      bucket         = module.storage.models_bucket
      schedulingGate = var.cluster.reserve_mountpoint_headroom == true ? "s3.csi.aws.com/reserve-headroom-for-mppod" : ""
    }
    serviceAccount = { name = name }
    scaling = {
      jobSeconds        = runtime.job_seconds
      targetWaitSeconds = runtime.target_wait_seconds
      minReplicas       = runtime.min_replicas
      maxReplicas       = runtime.max_replicas
    }
    nodes = {
      role          = module.karpenter.node_role_name
      discoveryTag  = module.cluster.name # of karpenter.sh/discovery, on subnets and security group
      instanceTypes = runtime.nodes.instance_types
      capacityTypes = runtime.nodes.capacity_types
    }
  }) }
}

output "runtimes_namespace" {
  description = "Namespace into which charts/runtime is installed."
  value       = var.runtimes_namespace
}

output "api_endpoint" {
  description = "URL of the HTTP API."
  value       = module.api.endpoint
}

output "api_keys" {
  description = "`<tenant>/<key>` → the value of x-api-key."
  value       = module.api.keys
  sensitive   = true
}

output "webhook_secrets_path" {
  description = "SSM path under which the signing secrets of webhooks are put: `<path><tenant>`, and `<path>_default`."
  value       = module.webhooks.secrets_path
}

output "cli_config" {
  description = "Configuration of the command line, TOML: `terraform output -raw cli_config > ~/.config/darkroom/config.toml`, then add `api_key`."
  value = join("", [for key, value in {
    endpoint          = module.api.endpoint
    output_bucket     = module.storage.outputs_bucket
    models_bucket     = module.storage.models_bucket
    queue_url_prefix  = module.messaging.queue_url_prefix
    jobs_topic_arn    = module.messaging.jobs_topic_arn
    results_topic_arn = module.messaging.results_topic_arn
    region            = data.aws_region.current.id
  } : "${key} = ${jsonencode(value)}\n"])
}
