# The topic that jobs come in by, and the one that results are told to.

resource "aws_sns_topic" "this" {
  #checkov:skip=CKV_AWS_26:A topic encrypts at rest only with a KMS key, which is a choice (kms_key_arn); it keeps a message for moments
  for_each = { jobs = local.jobs_topic, results = local.results_topic }

  name              = "${var.name}-${each.key}"
  kms_master_key_id = var.kms_key_arn
  tracing_config    = var.tracing ? "Active" : "PassThrough"
  tags              = var.tags

  # Who may publish and subscribe is told by the policies of roles; this one adds only how.
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "TlsOnly"
      Effect    = "Deny"
      Principal = "*"
      Action    = "sns:Publish"
      Resource  = each.value
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })
}
