# Repositories: tags that never move, scans, and what is thrown away when.

mock_provider "aws" {
  source = "../../mocks/aws"
}

variables {
  name = "darkroom"
}

run "one_repository_an_image_under_the_name" {
  command = plan

  variables {
    repositories = ["agent", "sdxl"]
  }

  assert {
    condition     = toset([for repository in aws_ecr_repository.this : repository.name]) == toset(["darkroom/agent", "darkroom/sdxl"])
    error_message = "repositories are named <name>/<repository>"
  }
}

run "tags_never_move_and_pushes_are_scanned" {
  command = plan

  assert {
    condition = alltrue([for repository in aws_ecr_repository.this :
      repository.image_tag_mutability == "IMMUTABLE" && repository.image_scanning_configuration[0].scan_on_push && !repository.force_delete
    ])
    error_message = "immutable, scanned, and not deleted with images in it"
  }
}

run "ecr_encrypts_by_itself" {
  command = plan

  assert {
    condition     = aws_ecr_repository.this["agent"].encryption_configuration[0].encryption_type == "AES256"
    error_message = "without a key ECR's own encryption is used"
  }
}

run "or_with_a_key_of_ones_own" {
  command = plan

  variables {
    kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/00000000-0000-4000-8000-000000000000"
  }

  assert {
    condition     = [aws_ecr_repository.this["agent"].encryption_configuration[0].encryption_type, aws_ecr_repository.this["agent"].encryption_configuration[0].kms_key] == ["KMS", var.kms_key_arn]
    error_message = "kms_key_arn encrypts the images"
  }
}

run "untagged_layers_go_and_the_newest_images_stay" {
  command = plan

  variables {
    keep_images = 20
  }

  assert {
    condition     = [for rule in jsondecode(aws_ecr_lifecycle_policy.this["agent"].policy).rules : [rule.selection.tagStatus, rule.selection.countNumber]] == [["untagged", 7], ["tagged", 20]]
    error_message = aws_ecr_lifecycle_policy.this["agent"].policy
  }
}

run "all_images_can_be_kept" {
  command = plan

  variables {
    keep_images = 0
  }

  assert {
    condition     = [for rule in jsondecode(aws_ecr_lifecycle_policy.this["agent"].policy).rules : rule.selection.tagStatus] == ["untagged"]
    error_message = aws_ecr_lifecycle_policy.this["agent"].policy
  }
}

run "other_registries_are_cached_by_choice" {
  command = plan

  variables {
    force_delete = true
    pull_through_caches = {
      ecr-public = { registry = "public.ecr.aws" }
      github     = { registry = "ghcr.io", credential_arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:ecr-pullthroughcache/github-AbCdEf" }
    }
  }

  assert {
    condition = { for prefix, rule in aws_ecr_pull_through_cache_rule.this : prefix => rule.upstream_registry_url } == {
      ecr-public = "public.ecr.aws"
      github     = "ghcr.io"
    }
    error_message = jsonencode(aws_ecr_pull_through_cache_rule.this)
  }

  assert {
    condition     = aws_ecr_repository.this["agent"].force_delete
    error_message = "force_delete lets destroy remove images"
  }
}
