# The example plans as it stands, without AWS.

mock_provider "aws" {
  source = "../../mocks/aws"
}

variables {
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
