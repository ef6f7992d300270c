# What is refused at plan.

mock_provider "aws" {
  source = "../../mocks/aws"
}

variables {
  name = "darkroom"
}

run "a_repository_in_capitals" {
  command = plan
  variables {
    repositories = ["Agent"]
  }
  expect_failures = [var.repositories]
}

run "a_key_by_its_alias" {
  command = plan
  variables {
    kms_key_arn = "alias/images"
  }
  expect_failures = [var.kms_key_arn]
}

run "too_few_images_to_go_back" {
  command = plan
  variables {
    keep_images = 3
  }
  expect_failures = [var.keep_images]
}

run "a_cache_that_needs_credentials" {
  command = plan
  variables {
    pull_through_caches = { github = { registry = "ghcr.io" } }
  }
  expect_failures = [var.pull_through_caches]
}

run "a_secret_that_ecr_does_not_read" {
  command = plan
  variables {
    pull_through_caches = { github = { registry = "ghcr.io", credential_arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:github-AbCdEf" } }
  }
  expect_failures = [var.pull_through_caches]
}

run "a_prefix_of_31_characters" {
  command = plan
  variables {
    pull_through_caches = { a234567890123456789012345678901 = { registry = "quay.io" } }
  }
  expect_failures = [var.pull_through_caches]
}
