# The example plans as it stands, without AWS.

mock_provider "aws" {
  source = "../../mocks/aws"
}

variables {
  lambda_zip         = "main.tf"
  region             = "eu-west-1"
  admin_arns         = ["arn:aws:iam::123456789012:role/platform"]
  vpc_id             = "vpc-0123456789abcdef0"
  private_subnet_ids = ["subnet-0aaaaaaaaaaaaaaaa", "subnet-0bbbbbbbbbbbbbbbb"]
  route_table_ids    = ["rtb-0123456789abcdef0"]
}

run "no_vpc_is_made" {
  command = plan

  assert {
    condition     = module.darkroom.vpc_id == var.vpc_id && length(module.darkroom.nat_addresses) == 0
    error_message = "the VPC that was named is used"
  }
}
