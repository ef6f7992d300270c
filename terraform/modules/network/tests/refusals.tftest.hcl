# What is refused at plan.

mock_provider "aws" {
  source = "../../mocks/aws"
}

variables {
  name = "darkroom"
}

run "a_name_of_25_characters" {
  command = plan
  variables {
    name = "a123456789012345678901234"
  }
  expect_failures = [var.name]
}

run "a_network_smaller_than_22" {
  command = plan
  variables {
    cidr = "10.0.0.0/23"
  }
  expect_failures = [var.cidr]
}

run "a_network_larger_than_16" {
  command = plan
  variables {
    cidr = "10.0.0.0/15"
  }
  expect_failures = [var.cidr]
}

run "a_network_with_bits_behind_its_prefix" {
  command = plan
  variables {
    cidr = "10.0.1.0/16"
  }
  expect_failures = [var.cidr]
}

run "one_zone" {
  command = plan
  variables {
    zones = ["eu-west-1a"]
  }
  expect_failures = [var.zones]
}

run "one_zone_twice" {
  command = plan
  variables {
    zones = ["eu-west-1a", "eu-west-1a"]
  }
  expect_failures = [var.zones]
}

run "four_zones" {
  command = plan
  variables {
    zone_count = 4
  }
  expect_failures = [var.zone_count]
}

run "another_way_out" {
  command = plan
  variables {
    nat_gateways = "none"
  }
  expect_failures = [var.nat_gateways]
}

run "an_unknown_service" {
  command = plan
  variables {
    interface_endpoints = ["s3"]
  }
  expect_failures = [var.interface_endpoints]
}

run "half_of_ecr" {
  command = plan
  variables {
    interface_endpoints = ["ecr.api"]
  }
  expect_failures = [var.interface_endpoints]
}

run "a_retention_that_cloudwatch_does_not_know" {
  command = plan
  variables {
    flow_log_retention_days = 31
  }
  expect_failures = [var.flow_log_retention_days]
}

run "a_vpc_by_its_name" {
  command = plan
  variables {
    existing = { vpc_id = "main", private_subnet_ids = ["subnet-0aaaaaaaaaaaaaaaa", "subnet-0bbbbbbbbbbbbbbbb"] }
  }
  expect_failures = [var.existing]
}

run "one_subnet_twice" {
  command = plan
  variables {
    existing = { vpc_id = "vpc-0123456789abcdef0", private_subnet_ids = ["subnet-0aaaaaaaaaaaaaaaa", "subnet-0aaaaaaaaaaaaaaaa"] }
  }
  expect_failures = [var.existing]
}

run "a_subnet_by_its_name" {
  command = plan
  variables {
    existing = { vpc_id = "vpc-0123456789abcdef0", private_subnet_ids = ["private-a", "private-b"] }
  }
  expect_failures = [var.existing]
}

run "a_route_table_by_its_name" {
  command = plan
  variables {
    existing = { vpc_id = "vpc-0123456789abcdef0", private_subnet_ids = ["subnet-0aaaaaaaaaaaaaaaa", "subnet-0bbbbbbbbbbbbbbbb"], route_table_ids = ["main"] }
  }
  expect_failures = [var.existing]
}
