# Alarms, dashboard and traces, and what the cluster's collector may write.

module "observability" {
  source = "./modules/observability"

  name               = var.name
  webhooks_dlq_name  = module.webhooks.dlq_name
  api_name           = module.api.name
  functions          = { jobs = module.jobs.function_name, webhooks = module.webhooks.function_name }
  dashboard          = var.dashboard
  alarm_actions      = var.alarm_actions
  failure_percent    = var.alarm_failure_percent
  runbooks           = var.runbooks
  runtime_dashboards = var.runtime_dashboards
  sampling_rate      = var.tracing.sampling_rate
  tracing            = var.tracing.enabled
  tags               = var.tags

  runtimes = { for name, runtime in var.runtimes : name => {
    queue_name      = module.messaging.runtimes[name].queue_name
    bulk_queue_name = module.messaging.runtimes[name].bulk_queue_name
    dlq_name        = module.messaging.runtimes[name].dlq_name
    max_age_seconds = runtime.alarm_age_seconds
    # Two nodes may have to be tried before one starts.
    cold_start_seconds = 2 * runtime.cold_start_seconds
  } }
}

module "collector" {
  source = "./modules/collector"

  name                    = module.cluster.name
  kms_key_arn             = local.kms_key_arn
  pod                     = { cluster = module.cluster.name, namespace = var.platform_namespace, service_account = "darkroom-collector" }
  logs_pod                = { cluster = module.cluster.name, namespace = var.platform_namespace, service_account = "darkroom-logs" }
  pods_log_retention_days = var.pods_log_retention_days
  tags                    = var.tags
}
