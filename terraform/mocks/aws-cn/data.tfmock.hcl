# What AWS would answer in China (Beijing), for tests that ask nobody.

mock_data "aws_partition" {
  defaults = {
    partition          = "aws-cn"
    dns_suffix         = "amazonaws.com.cn"
    reverse_dns_prefix = "cn.com.amazonaws"
  }
}

mock_data "aws_region" {
  defaults = {
    id   = "cn-north-1"
    name = "cn-north-1"
  }
}

mock_data "aws_caller_identity" {
  defaults = {
    account_id = "210987654321"
  }
}

mock_data "aws_availability_zones" {
  defaults = {
    names = ["cn-north-1a", "cn-north-1b", "cn-north-1c"]
  }
}
