# The role of one runtime's agent: its queues, the results topic, the outputs bucket, and nothing of another runtime.

locals {
  bucket = var.outputs_bucket_arn

  # Artifacts lie under any prefix that a job names, unless prefixes bounds it; inputs are only read.
  written = concat(["${local.bucket}/jobs/*"], var.prefixes == null ? ["${local.bucket}/*"] : [for prefix in var.prefixes : "${local.bucket}/${prefix}/*"])

  statements = [
    {
      Sid      = "TakeJobs"
      Effect   = "Allow"
      Action   = ["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"]
      Resource = var.queue_arns
    },
    {
      # `helm test` sends a job through the runtime's own queue.
      Sid      = "TryItself"
      Effect   = "Allow"
      Action   = "sqs:SendMessage"
      Resource = var.queue_arns
    },
    {
      Sid      = "TellResults"
      Effect   = "Allow"
      Action   = "sns:Publish"
      Resource = var.results_topic_arn
    },
    {
      # Without this S3 says 403, not 404, for what is not there: a job that is new, a cancel that nobody asked for.
      Sid      = "FindDocuments"
      Effect   = "Allow"
      Action   = "s3:ListBucket"
      Resource = local.bucket
    },
    {
      # Inputs may be artifacts of other jobs.
      Sid      = "ReadInputsAndDocuments"
      Effect   = "Allow"
      Action   = "s3:GetObject"
      Resource = concat(["${local.bucket}/*"], [for arn in var.input_bucket_arns : "${arn}/*"])
    },
    {
      Sid      = "WriteArtifactsAndDocuments"
      Effect   = "Allow"
      Action   = "s3:PutObject"
      Resource = local.written
    },
    {
      # What a lost attempt left behind is removed by the one that wins, and a mark that asked to cancel when its job has
      # ended; documents never are.
      Sid      = "RemoveLeftovers"
      Effect   = "Allow"
      Action   = "s3:DeleteObject"
      Resource = var.prefixes == null ? ["${local.bucket}/*"] : concat(["${local.bucket}/jobs/*.cancel"], [for prefix in var.prefixes : "${local.bucket}/${prefix}/*"])
    },
    {
      Sid      = "KeepDocuments"
      Effect   = "Deny"
      Action   = "s3:DeleteObject"
      Resource = ["${local.bucket}/jobs/*.json", "${local.bucket}/inputs/*"]
    },
  ]

  keys = [for statement in [{
    Sid      = "UseKeys"
    Effect   = "Allow"
    Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
    Resource = var.kms_key_arns
  }] : statement if length(var.kms_key_arns) > 0]
}

resource "aws_iam_role" "this" {
  # At most 38 characters: a long runtime's name is cut, and told in full by description and tags.
  name_prefix = "${trimsuffix(substr("${var.name}-agent-${var.runtime}", 0, 37), "-")}-"
  description = "Agent of the runtime ${var.runtime} of ${var.name}"
  tags        = merge(var.tags, { "darkroom:runtime" = var.runtime })

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "PodIdentity"
      Effect    = "Allow"
      Principal = { Service = "pods.eks.amazonaws.com" }
      Action    = ["sts:AssumeRole", "sts:TagSession"]
    }]
  })
}

resource "aws_iam_role_policy" "this" {
  name   = "jobs"
  role   = aws_iam_role.this.id
  policy = jsonencode({ Version = "2012-10-17", Statement = concat(local.statements, local.keys) })
}

resource "aws_eks_pod_identity_association" "this" {
  count = var.pod == null ? 0 : 1

  cluster_name    = var.pod.cluster
  namespace       = var.pod.namespace
  service_account = var.pod.service_account
  role_arn        = aws_iam_role.this.arn
  tags            = var.tags
}
