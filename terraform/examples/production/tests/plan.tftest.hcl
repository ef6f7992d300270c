# The example plans as it stands, without AWS.

mock_provider "aws" {
  source = "../../mocks/aws"
}

variables {
  lambda_zip      = "main.tf"
  domain          = { name = "images.example.com", certificate_arn = "arn:aws:acm:eu-west-1:123456789012:certificate/00000000-0000-4000-8000-000000000000", zone_id = "Z0123456789ABCDEFGHIJ" }
  tenants         = { acme = {}, zoo = { plan = "large", keys = ["2026", "2027"] } }
  alarm_actions   = ["arn:aws:sns:eu-west-1:123456789012:on-call"]
  region          = "eu-west-1"
  zones           = ["eu-west-1a", "eu-west-1b", "eu-west-1c"]
  admin_arns      = ["arn:aws:iam::123456789012:role/platform"]
  viewer_arns     = ["arn:aws:iam::123456789012:role/support"]
  office_networks = ["203.0.113.0/24"]
  addon_versions  = { coredns = "v1.13.1-eksbuild.1" }
}

run "each_zone_has_its_way_out" {
  command = plan

  assert {
    condition     = length(module.darkroom.nat_addresses) == 3
    error_message = "one NAT gateway a zone"
  }
}

run "there_is_a_dashboard" {
  command = plan

  assert {
    condition     = module.darkroom.dashboard_name == var.name
    error_message = "it is called after the installation"
  }
}

run "two_runtimes_share_an_api_of_its_own_name" {
  assert {
    condition     = toset(keys(output.runtime_values)) == toset(["sdxl", "webui"]) && strcontains(output.cli_config, "endpoint = \"https://images.example.com\"")
    error_message = output.cli_config
  }

  assert {
    condition     = toset(keys(output.api_keys)) == toset(["acme/main", "zoo/2026", "zoo/2027"])
    error_message = "each tenant has its keys"
  }
}
