# What is thrown away when, and what a browser may do with the addresses that the API gives it.

locals {
  # Documents lie under jobs/, uploads under inputs/, artifacts under their jobs' prefixes: S3 cannot say "all but these".
  expiries = merge(
    { jobs = { prefix = "jobs/", days = var.expire_days.jobs }, inputs = { prefix = "inputs/", days = var.expire_days.inputs } },
    { for prefix in var.artifact_prefixes : "artifacts-${prefix}" => { prefix = "${prefix}/", days = var.expire_days.artifacts } },
  )
}

resource "aws_s3_bucket_lifecycle_configuration" "this" {
  for_each = aws_s3_bucket.this

  bucket = each.value.id

  rule {
    id     = "unfinished-uploads"
    status = "Enabled"

    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }

  dynamic "rule" {
    for_each = { for id, expiry in local.expiries : id => expiry if each.key == "outputs" && expiry.days > 0 }

    content {
      id     = rule.key
      status = "Enabled"

      filter {
        prefix = rule.value.prefix
      }

      expiration {
        days = rule.value.days
      }
    }
  }

  dynamic "rule" {
    for_each = contains(var.versioned, each.key) ? ["old-versions"] : []

    content {
      id     = rule.value
      status = "Enabled"

      filter {}

      noncurrent_version_expiration {
        noncurrent_days = var.expire_days.old_versions
      }

      expiration {
        expired_object_delete_marker = true
      }
    }
  }

  depends_on = [aws_s3_bucket_versioning.this]
}

resource "aws_s3_bucket_cors_configuration" "outputs" {
  count = length(var.cors_origins) > 0 ? 1 : 0

  bucket = aws_s3_bucket.this["outputs"].id

  # Every address is signed: what a page may do is bounded by what it was given.
  cors_rule {
    allowed_methods = ["GET", "PUT"]
    allowed_origins = var.cors_origins
    allowed_headers = ["*"]
    expose_headers  = ["ETag"]
    max_age_seconds = 3600
  }
}
