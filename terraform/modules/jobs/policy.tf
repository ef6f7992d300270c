# What the jobs Lambda may do: keep documents, sign addresses, publish jobs, count queues, read named workflows.

locals {
  arn     = "arn:${data.aws_partition.current.partition}"
  outputs = "${local.arn}:s3:::${var.outputs_bucket}"
  models  = "${local.arn}:s3:::${var.models_bucket}"
  queues = [for name in flatten([for name, runtime in var.runtimes : runtime.bulk == true ? [name, "${name}-bulk"] : [name]]) :
    "${local.arn}:sqs:${data.aws_region.current.id}:${data.aws_caller_identity.current.account_id}:${var.name}-${name}"
  ]

  statements = [
    {
      # To list jobs and workflows; and without this S3 says 403, not 404, for what is not there.
      Sid      = "ListBuckets"
      Effect   = "Allow"
      Action   = "s3:ListBucket"
      Resource = [local.outputs, local.models]
    },
    {
      # Artifacts may lie under any prefix: an address that is signed here can do what this role can.
      Sid      = "ReadDocumentsAndArtifacts"
      Effect   = "Allow"
      Action   = "s3:GetObject"
      Resource = ["${local.outputs}/*", "${local.models}/workflows/*"]
    },
    {
      Sid      = "WriteDocumentsAndInputs"
      Effect   = "Allow"
      Action   = "s3:PutObject"
      Resource = ["${local.outputs}/jobs/*", "${local.outputs}/inputs/*"]
    },
    {
      Sid      = "ClearOutbox"
      Effect   = "Allow"
      Action   = "s3:DeleteObject"
      Resource = "${local.outputs}/jobs/outbox/*"
    },
    {
      Sid      = "PublishJobs"
      Effect   = "Allow"
      Action   = "sns:Publish"
      Resource = var.jobs_topic_arn
    },
    {
      Sid      = "CountJobs"
      Effect   = "Allow"
      Action   = "sqs:GetQueueAttributes"
      Resource = local.queues
    },
    {
      # The age of the oldest message is a metric, and CloudWatch offers no resource for metrics.
      Sid      = "ReadAges"
      Effect   = "Allow"
      Action   = "cloudwatch:GetMetricData"
      Resource = "*"
    },
  ]

  key_arns = distinct([for arn in [var.kms_key_arn, var.models_kms_key_arn] : arn if arn != null])
  keys = [for statement in [{
    Sid      = "UseKeys"
    Effect   = "Allow"
    Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
    Resource = local.key_arns
  }] : statement if length(local.key_arns) > 0]
}
