# What belongs to one runtime beside its queues: its agent's role. And KEDA's, which counts the queues of all.

data "aws_partition" "current" {}

module "agent" {
  source   = "./modules/agent"
  for_each = var.runtimes

  name               = var.name
  runtime            = each.key
  queue_arns         = [for arn in [module.messaging.runtimes[each.key].queue_arn, module.messaging.runtimes[each.key].bulk_queue_arn] : arn if arn != null]
  results_topic_arn  = module.messaging.results_topic_arn
  outputs_bucket_arn = module.storage.outputs_bucket_arn
  prefixes           = each.value.prefixes
  input_bucket_arns  = [for bucket in each.value.input_buckets : "arn:${data.aws_partition.current.partition}:s3:::${bucket}"]
  kms_key_arns       = local.kms_key_arn == null ? [] : [local.kms_key_arn]
  pod                = { cluster = module.cluster.name, namespace = var.runtimes_namespace, service_account = each.key }
  tags               = var.tags
}

module "keda" {
  source = "./modules/keda"

  name       = var.name
  queue_arns = module.messaging.queue_arns
  pod        = { cluster = module.cluster.name, namespace = var.platform_namespace, service_account = "keda-operator" }
  tags       = var.tags
}
