# The example plans as it stands, without AWS China.

mock_provider "aws" {
  source = "../../mocks/aws-cn"
}

variables {
  lambda_zip   = "main.tf"
  region       = "cn-northwest-1"
  admin_arns   = ["arn:aws-cn:iam::210987654321:role/platform"]
  your_network = "203.0.113.7/32"
}

run "mirrors_have_repositories" {
  command = plan

  assert {
    condition     = contains(keys(module.darkroom.image_repositories), "mirror/karpenter")
    error_message = jsonencode(module.darkroom.image_repositories)
  }
}

run "a_region_elsewhere_is_refused" {
  command = plan
  variables {
    region = "eu-west-1"
  }
  expect_failures = [var.region]
}
