# The bucket for outputs, and the one for models if there is none yet: both private, encrypted, and reached over TLS alone.

data "aws_partition" "current" {}

data "aws_region" "current" {}

data "aws_caller_identity" "current" {}

locals {
  # Account and region make the name unique, and tell whose it is.
  suffix = "${data.aws_caller_identity.current.account_id}-${data.aws_region.current.id}"
  names = merge(
    { outputs = coalesce(var.outputs_bucket_name, "${var.name}-outputs-${local.suffix}") },
    var.existing_models_bucket == null ? { models = "${var.name}-models-${local.suffix}" } : {},
  )
  s3 = "arn:${data.aws_partition.current.partition}:s3:::"
}

resource "aws_s3_bucket" "this" {
  #checkov:skip=CKV_AWS_144:Outputs can be made again, models come from elsewhere: a copy in a second region is not worth its price
  #checkov:skip=CKV2_AWS_62:What happens to a job is told by the results topic, not by the bucket
  for_each = local.names

  bucket        = each.value
  force_destroy = var.force_destroy
  tags          = var.tags
}

resource "aws_s3_bucket_public_access_block" "this" {
  for_each = aws_s3_bucket.this

  bucket                  = each.value.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "this" {
  for_each = aws_s3_bucket.this

  bucket = each.value.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_policy" "this" {
  for_each = aws_s3_bucket.this

  bucket = each.value.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "TlsOnly"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = ["${local.s3}${each.value.id}", "${local.s3}${each.value.id}/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })

  # S3 refuses two changes of who may do what at the same time.
  depends_on = [aws_s3_bucket_public_access_block.this]
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  for_each = aws_s3_bucket.this

  bucket = each.value.id

  rule {
    # One call to KMS for many objects, not one for each.
    bucket_key_enabled = var.kms_key_arn != null

    apply_server_side_encryption_by_default {
      sse_algorithm     = var.kms_key_arn == null ? "AES256" : "aws:kms"
      kms_master_key_id = var.kms_key_arn
    }
  }
}

resource "aws_s3_bucket_versioning" "this" {
  for_each = { for key, bucket in aws_s3_bucket.this : key => bucket if contains(var.versioned, key) }

  bucket = each.value.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_logging" "this" {
  for_each = var.access_logs_bucket == null ? {} : aws_s3_bucket.this

  bucket        = each.value.id
  target_bucket = var.access_logs_bucket
  target_prefix = "${each.value.id}/"
}
