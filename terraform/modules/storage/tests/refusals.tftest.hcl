# What is refused at plan.

mock_provider "aws" {
  source = "../../mocks/aws"
}

variables {
  name              = "darkroom"
  artifact_prefixes = ["sdxl"]
}

run "a_name_of_25_characters" {
  command = plan
  variables {
    name = "a234567890123456789012345"
  }
  expect_failures = [var.name]
}

run "a_bucket_with_a_dot" {
  command = plan
  variables {
    outputs_bucket_name = "images.example.com"
  }
  expect_failures = [var.outputs_bucket_name]
}

run "a_models_bucket_by_its_url" {
  command = plan
  variables {
    existing_models_bucket = "s3://models"
  }
  expect_failures = [var.existing_models_bucket]
}

run "artifacts_among_the_documents" {
  command = plan
  variables {
    artifact_prefixes = ["jobs/sdxl"]
  }
  expect_failures = [var.artifact_prefixes]
}

run "a_prefix_with_a_slash_at_its_end" {
  command = plan
  variables {
    artifact_prefixes = ["sdxl/"]
  }
  expect_failures = [var.artifact_prefixes]
}

run "documents_that_expire_before_their_messages" {
  command = plan
  variables {
    expire_days = { jobs = 7 }
  }
  expect_failures = [var.expire_days]
}

run "half_a_day" {
  command = plan
  variables {
    expire_days = { inputs = 0.5 }
  }
  expect_failures = [var.expire_days]
}

run "old_versions_for_ever" {
  command = plan
  variables {
    expire_days = { old_versions = 0 }
  }
  expect_failures = [var.expire_days]
}

run "versions_of_another_bucket" {
  command = plan
  variables {
    versioned = ["logs"]
  }
  expect_failures = [var.versioned]
}

run "versions_of_a_bucket_that_is_not_ours" {
  command = plan
  variables {
    versioned              = ["models"]
    existing_models_bucket = "our-models"
  }
  expect_failures = [var.versioned]
}

run "every_site_in_the_world" {
  command = plan
  variables {
    cors_origins = ["*"]
  }
  expect_failures = [var.cors_origins]
}

run "a_key_by_its_alias" {
  command = plan
  variables {
    kms_key_arn = "alias/images"
  }
  expect_failures = [var.kms_key_arn]
}

