# A VPC that exists already: nothing is made in it but what Darkroom needs.

mock_provider "aws" {
  source = "../../mocks/aws"
}

variables {
  name = "darkroom"
  existing = {
    vpc_id             = "vpc-0123456789abcdef0"
    private_subnet_ids = ["subnet-0aaaaaaaaaaaaaaaa", "subnet-0bbbbbbbbbbbbbbbb"]
    route_table_ids    = ["rtb-0123456789abcdef0"]
  }
}

run "no_vpc_is_made" {
  command = plan

  assert {
    condition     = length(aws_vpc.this) + length(aws_subnet.private) + length(aws_nat_gateway.this) + length(aws_default_security_group.this) == 0
    error_message = "an existing VPC is left as it is"
  }

  assert {
    condition     = output.vpc_id == "vpc-0123456789abcdef0" && output.private_subnet_ids == tolist(["subnet-0aaaaaaaaaaaaaaaa", "subnet-0bbbbbbbbbbbbbbbb"])
    error_message = "its ids are passed on"
  }
}

run "its_subnets_get_the_discovery_tag" {
  command = plan

  assert {
    condition     = [for tag in aws_ec2_tag.discovery : [tag.resource_id, tag.key, tag.value]][1] == ["subnet-0bbbbbbbbbbbbbbbb", "karpenter.sh/discovery", "darkroom"]
    error_message = jsonencode(aws_ec2_tag.discovery)
  }
}

run "s3_is_routed_in_its_tables" {
  command = plan

  assert {
    condition     = aws_vpc_endpoint.s3[0].route_table_ids == toset(["rtb-0123456789abcdef0"])
    error_message = "the endpoint stands in the route tables that were named"
  }
}

run "unless_it_has_that_endpoint" {
  command = plan

  variables {
    existing = { vpc_id = "vpc-0123456789abcdef0", private_subnet_ids = ["subnet-0aaaaaaaaaaaaaaaa", "subnet-0bbbbbbbbbbbbbbbb"] }
  }

  assert {
    condition     = length(aws_vpc_endpoint.s3) == 0
    error_message = "without route tables no S3 endpoint is made"
  }
}

run "its_network_is_asked_for_where_endpoints_need_it" {
  command = plan

  variables {
    interface_endpoints = ["sqs"]
  }

  override_data {
    target = data.aws_vpc.this
    values = { cidr_block = "172.16.0.0/16" }
  }

  assert {
    condition     = aws_vpc_security_group_ingress_rule.endpoints[0].cidr_ipv4 == "172.16.0.0/16"
    error_message = "HTTPS from the existing VPC's own network"
  }
}
