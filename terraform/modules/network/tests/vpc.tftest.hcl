# A VPC that is made here: its zones, its subnets, its ways out.

mock_provider "aws" {
  source = "../../mocks/aws"
}

variables {
  name = "darkroom"
}

run "three_zones_of_the_region_are_taken" {
  command = plan

  assert {
    condition     = output.zones == tolist(["eu-west-1a", "eu-west-1b", "eu-west-1c"])
    error_message = "zones: ${jsonencode(output.zones)}"
  }

  assert {
    condition     = length(aws_subnet.private) == 3 && length(aws_subnet.public) == 3
    error_message = "a private and a public subnet in each zone"
  }
}

run "nodes_get_three_quarters_of_the_addresses_and_nothing_overlaps" {
  command = plan

  assert {
    condition     = [for zone in output.zones : aws_subnet.private[zone].cidr_block] == ["10.64.0.0/18", "10.64.64.0/18", "10.64.128.0/18"]
    error_message = jsonencode([for subnet in aws_subnet.private : subnet.cidr_block])
  }

  assert {
    condition     = [for zone in output.zones : aws_subnet.public[zone].cidr_block] == ["10.64.192.0/22", "10.64.196.0/22", "10.64.200.0/22"]
    error_message = jsonencode([for subnet in aws_subnet.public : subnet.cidr_block])
  }
}

run "karpenter_finds_private_subnets_alone" {
  command = plan

  assert {
    condition     = alltrue([for subnet in aws_subnet.private : subnet.tags["karpenter.sh/discovery"] == "darkroom"])
    error_message = "a private subnet lacks its discovery tag"
  }

  assert {
    condition     = alltrue([for subnet in aws_subnet.public : !contains(keys(subnet.tags), "karpenter.sh/discovery") && subnet.map_public_ip_on_launch == false])
    error_message = "no node may land in a public subnet"
  }
}

run "one_nat_gateway_serves_all_zones" {
  command = plan

  assert {
    condition     = length(aws_nat_gateway.this) == 1 && length(aws_route.nat) == 3
    error_message = "single: one gateway, a route in each zone"
  }
}

run "or_each_zone_has_its_own" {
  command = plan

  variables {
    nat_gateways = "per_zone"
  }

  assert {
    condition     = length(aws_nat_gateway.this) == 3
    error_message = "per_zone: one gateway in each zone"
  }
}

run "zones_can_be_named" {
  command = plan

  variables {
    zones = ["eu-west-1c", "eu-west-1a"]
  }

  assert {
    condition     = output.zones == tolist(["eu-west-1c", "eu-west-1a"]) && length(data.aws_availability_zones.here) == 0
    error_message = "named zones are taken as they are, and the region's are not asked for"
  }
}

run "or_counted" {
  command = plan

  variables {
    zone_count = 2
  }

  assert {
    condition     = length(output.zones) == 2
    error_message = "zone_count = 2 takes two zones"
  }
}

run "a_small_network_is_divided_the_same_way" {
  command = plan

  variables {
    cidr = "192.168.4.0/22"
  }

  assert {
    condition     = aws_subnet.private["eu-west-1c"].cidr_block == "192.168.6.0/24" && aws_subnet.public["eu-west-1c"].cidr_block == "192.168.7.32/28"
    error_message = "the smallest network: ${aws_subnet.private["eu-west-1c"].cidr_block}, ${aws_subnet.public["eu-west-1c"].cidr_block}"
  }
}

run "a_flow_log_is_a_choice" {
  command = plan

  variables {
    flow_log_retention_days = 30
  }

  assert {
    condition     = length(aws_flow_log.this) == 1 && aws_cloudwatch_log_group.flow_log[0].retention_in_days == 30
    error_message = "flow_log_retention_days makes the flow log"
  }
}

run "everything_carries_the_tags" {
  command = plan

  variables {
    tags = { team = "images" }
  }

  assert {
    condition = alltrue([for tags in concat(
      [aws_vpc.this[0].tags, aws_internet_gateway.this[0].tags, aws_vpc_endpoint.s3[0].tags],
      [for each in aws_subnet.private : each.tags], [for each in aws_nat_gateway.this : each.tags],
    ) : tags["team"] == "images"])
    error_message = "a tag is missing"
  }
}
