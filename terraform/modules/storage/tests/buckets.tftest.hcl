# Buckets: private, encrypted, over TLS alone; and what is thrown away when.

mock_provider "aws" {
  source = "../../mocks/aws"
}

variables {
  name              = "darkroom"
  artifact_prefixes = ["sdxl", "customers/acme"]
}

run "two_buckets_named_by_account_and_region" {
  assert {
    condition     = { for key, bucket in aws_s3_bucket.this : key => bucket.bucket } == { outputs = "darkroom-outputs-123456789012-eu-west-1", models = "darkroom-models-123456789012-eu-west-1" }
    error_message = jsonencode([for bucket in aws_s3_bucket.this : bucket.bucket])
  }

  assert {
    condition     = alltrue([for bucket in aws_s3_bucket.this : !bucket.force_destroy])
    error_message = "a bucket with objects in it is not destroyed unless that was asked for"
  }
}

run "nobody_outside_and_nobody_without_tls" {
  assert {
    condition = alltrue([for block in aws_s3_bucket_public_access_block.this :
      block.block_public_acls && block.block_public_policy && block.ignore_public_acls && block.restrict_public_buckets
    ]) && length(aws_s3_bucket_public_access_block.this) == 2
    error_message = "public access is not blocked"
  }

  assert {
    condition = alltrue([for policy in aws_s3_bucket_policy.this :
      one(jsondecode(policy.policy).Statement).Effect == "Deny" && one(jsondecode(policy.policy).Statement).Condition == { Bool = { "aws:SecureTransport" = "false" } }
    ])
    error_message = jsonencode([for policy in aws_s3_bucket_policy.this : policy.policy])
  }

  assert {
    condition     = alltrue([for controls in aws_s3_bucket_ownership_controls.this : controls.rule[0].object_ownership == "BucketOwnerEnforced"])
    error_message = "objects are the bucket's owner's"
  }
}

run "documents_inputs_and_artifacts_expire_apart" {
  variables {
    expire_days = { jobs = 90, inputs = 1, artifacts = 7 }
  }

  assert {
    condition = { for rule in aws_s3_bucket_lifecycle_configuration.this["outputs"].rule : rule.id => [rule.filter[0].prefix, rule.expiration[0].days] if length(rule.expiration) > 0 } == {
      jobs                       = ["jobs/", 90]
      inputs                     = ["inputs/", 1]
      "artifacts-sdxl"           = ["sdxl/", 7]
      "artifacts-customers/acme" = ["customers/acme/", 7]
    }
    error_message = jsonencode(aws_s3_bucket_lifecycle_configuration.this["outputs"].rule)
  }

  assert {
    condition     = [for rule in aws_s3_bucket_lifecycle_configuration.this["models"].rule : rule.id] == ["unfinished-uploads"]
    error_message = "models do not expire"
  }
}

run "zero_keeps" {
  variables {
    expire_days = { jobs = 0, artifacts = 0 }
  }

  assert {
    condition     = toset([for rule in aws_s3_bucket_lifecycle_configuration.this["outputs"].rule : rule.id]) == toset(["unfinished-uploads", "inputs"])
    error_message = jsonencode([for rule in aws_s3_bucket_lifecycle_configuration.this["outputs"].rule : rule.id])
  }
}

run "s3_encrypts_by_itself" {
  assert {
    condition     = alltrue([for made in aws_s3_bucket_server_side_encryption_configuration.this : one(made.rule).apply_server_side_encryption_by_default[0].sse_algorithm == "AES256"])
    error_message = "without a key S3's own encryption is used"
  }

  assert {
    condition     = length(aws_s3_bucket_versioning.this) + length(aws_s3_bucket_logging.this) + length(aws_s3_bucket_cors_configuration.outputs) == 0
    error_message = "versions, access logs and CORS are choices"
  }
}

run "key_versions_logs_and_sites_by_choice" {
  variables {
    kms_key_arn        = "arn:aws:kms:eu-west-1:123456789012:key/00000000-0000-4000-8000-000000000000"
    versioned          = ["outputs"]
    access_logs_bucket = "logs"
    cors_origins       = ["https://studio.example.com"]
    force_destroy      = true
  }

  assert {
    condition = alltrue([for made in aws_s3_bucket_server_side_encryption_configuration.this :
      one(made.rule).apply_server_side_encryption_by_default[0].kms_master_key_id == var.kms_key_arn && one(made.rule).bucket_key_enabled
    ])
    error_message = "the key encrypts both buckets, with a bucket key"
  }

  assert {
    condition     = keys(aws_s3_bucket_versioning.this) == ["outputs"] && contains([for rule in aws_s3_bucket_lifecycle_configuration.this["outputs"].rule : rule.id], "old-versions")
    error_message = "old versions are kept, and not for ever"
  }

  assert {
    condition     = aws_s3_bucket_logging.this["models"].target_bucket == "logs" && one(aws_s3_bucket_cors_configuration.outputs[0].cors_rule).allowed_origins == toset(["https://studio.example.com"])
    error_message = "access logs and CORS are as chosen"
  }

  assert {
    condition     = aws_s3_bucket.this["outputs"].force_destroy
    error_message = "force_destroy lets destroy remove objects"
  }
}

run "an_existing_models_bucket_is_left_as_it_is" {
  variables {
    existing_models_bucket = "our-models"
    outputs_bucket_name    = "our-images"
  }

  assert {
    condition     = [for bucket in aws_s3_bucket.this : bucket.bucket] == ["our-images"] && output.models_bucket == "our-models" && output.models_bucket_arn == "arn:aws:s3:::our-models"
    error_message = output.models_bucket_arn
  }
}

run "names_fit_at_their_longest" {
  variables {
    name = "a23456789012345678901234"
  }

  assert {
    condition     = alltrue([for bucket in aws_s3_bucket.this : length(bucket.bucket) <= 63 - length("ap-northeast-1") + length("eu-west-1")])
    error_message = "S3 takes 63 characters"
  }
}
