# What the root module refuses at plan. What a module's own variables refuse is tested there.

mock_provider "aws" {
  source = "./mocks/aws"
}

variables {
  cluster = {
    admin_arns = ["arn:aws:iam::123456789012:role/platform"]
  }
}

run "a_name_of_25_characters" {
  command = plan
  variables {
    name = "a234567890123456789012345"
  }
  expect_failures = [var.name]
}

run "a_name_with_two_hyphens_in_a_row" {
  command = plan
  variables {
    name = "dark--room"
  }
  expect_failures = [var.name]
}

run "tags_that_belong_to_aws" {
  command = plan
  variables {
    tags = { "aws:team" = "images" }
  }
  expect_failures = [var.tags]
}

run "an_existing_vpc_with_addresses_for_a_new_one" {
  command = plan
  variables {
    network = {
      existing = { vpc_id = "vpc-0123456789abcdef0", private_subnet_ids = ["subnet-0aaaaaaaaaaaaaaaa", "subnet-0bbbbbbbbbbbbbbbb"] }
      cidr     = "10.0.0.0/16"
    }
  }
  expect_failures = [var.network]
}

run "a_namespace_in_capitals" {
  command = plan
  variables {
    platform_namespace = "Darkroom"
  }
  expect_failures = [var.platform_namespace]
}
