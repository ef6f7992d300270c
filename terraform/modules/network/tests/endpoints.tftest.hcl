# Endpoints: S3's always, others by choice, under the names that they have in each partition.

mock_provider "aws" {
  source = "../../mocks/aws"
}

mock_provider "aws" {
  alias  = "china"
  source = "../../mocks/aws-cn"
}

variables {
  name = "darkroom"
}

run "models_are_read_through_the_gateway_endpoint" {
  command = plan

  assert {
    condition     = aws_vpc_endpoint.s3[0].service_name == "com.amazonaws.eu-west-1.s3" && aws_vpc_endpoint.s3[0].vpc_endpoint_type == "Gateway"
    error_message = "S3's gateway endpoint is always there"
  }

  assert {
    condition     = length(aws_vpc_endpoint.interface) == 0 && length(aws_security_group.endpoints) == 0
    error_message = "no interface endpoint unless it is asked for"
  }
}

run "interface_endpoints_answer_https_from_the_vpc" {
  command = plan

  variables {
    interface_endpoints = ["ecr.api", "ecr.dkr", "sqs"]
  }

  assert {
    condition     = length(aws_vpc_endpoint.interface) == 3 && alltrue([for each in aws_vpc_endpoint.interface : each.private_dns_enabled])
    error_message = "one endpoint a service, with private DNS"
  }

  assert {
    condition     = aws_vpc_security_group_ingress_rule.endpoints[0].cidr_ipv4 == "10.64.0.0/16" && aws_vpc_security_group_ingress_rule.endpoints[0].to_port == 443
    error_message = "HTTPS from the VPC"
  }
}

run "china_names_are_looked_up" {
  command = plan

  providers = {
    aws = aws.china
  }

  variables {
    interface_endpoints = ["sqs"]
  }

  assert {
    condition     = one(data.aws_vpc_endpoint_service.interface["sqs"].filter).values == toset(["com.amazonaws.cn-north-1.sqs", "cn.com.amazonaws.cn-north-1.sqs"])
    error_message = jsonencode(data.aws_vpc_endpoint_service.interface["sqs"].filter)
  }

  assert {
    condition     = aws_vpc_endpoint.s3[0].service_name == "com.amazonaws.cn-north-1.s3"
    error_message = "S3's gateway endpoint has no `cn.` in China either"
  }
}
