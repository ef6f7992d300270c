# Names and ARNs of topics and queues. They are written out, so that a queue's policy is part of the queue from its first moment.

data "aws_partition" "current" {}

data "aws_region" "current" {}

data "aws_caller_identity" "current" {}

locals {
  region     = data.aws_region.current.id
  account_id = data.aws_caller_identity.current.account_id

  sns = "arn:${data.aws_partition.current.partition}:sns:${local.region}:${local.account_id}"
  sqs = "arn:${data.aws_partition.current.partition}:sqs:${local.region}:${local.account_id}"

  jobs_topic    = "${local.sns}:${var.name}-jobs"
  results_topic = "${local.sns}:${var.name}-results"

  # A queue's key is its runtime, or its runtime and `-bulk`.
  queues = merge(
    { for name, runtime in var.runtimes : name => { runtime = name, bulk = false } },
    { for name, runtime in var.runtimes : "${name}-bulk" => { runtime = name, bulk = true } if runtime.bulk },
  )
}
