# Repositories for the images of agent and runtimes: a tag never moves, every push is scanned.

resource "aws_ecr_repository" "this" {
  #checkov:skip=CKV_AWS_136:A key of one's own is a choice (kms_key_arn); ECR encrypts in any case
  for_each = var.repositories

  name                 = "${var.name}/${each.key}"
  image_tag_mutability = "IMMUTABLE"
  force_delete         = var.force_delete
  tags                 = var.tags

  image_scanning_configuration {
    scan_on_push = true
  }

  encryption_configuration {
    encryption_type = var.kms_key_arn == null ? "AES256" : "KMS"
    kms_key         = var.kms_key_arn
  }
}

locals {
  expire_untagged = {
    rulePriority = 1
    description  = "Layers of pushes that were replaced"
    selection    = { tagStatus = "untagged", countType = "sinceImagePushed", countUnit = "days", countNumber = 7 }
    action       = { type = "expire" }
  }
  expire_old = {
    rulePriority = 2
    description  = "All but the newest images"
    selection    = { tagStatus = "tagged", tagPatternList = ["*"], countType = "imageCountMoreThan", countNumber = var.keep_images }
    action       = { type = "expire" }
  }
}

resource "aws_ecr_lifecycle_policy" "this" {
  for_each = aws_ecr_repository.this

  repository = each.value.name
  policy     = jsonencode({ rules = [for rule in [local.expire_untagged, local.expire_old] : rule if rule.selection.countNumber > 0] })
}

resource "aws_ecr_pull_through_cache_rule" "this" {
  for_each = var.pull_through_caches

  ecr_repository_prefix = each.key
  upstream_registry_url = each.value.registry
  credential_arn        = each.value.credential_arn
}
