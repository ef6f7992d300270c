# What is refused at plan.

mock_provider "aws" {
  source = "../../mocks/aws"
}

variables {
  name                      = "darkroom"
  cluster_security_group_id = "sg-0123456789abcdef0"
}

run "a_name_of_25_characters" {
  command = plan
  variables {
    name = "a234567890123456789012345"
  }
  expect_failures = [var.name]
}

run "a_key_by_its_alias" {
  command = plan
  variables {
    volume_kms_key_arns = ["alias/volumes"]
  }
  expect_failures = [var.volume_kms_key_arns]
}
