# The least: a VPC with one NAT gateway, a cluster that your own address reaches.

terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 7.0"
    }
  }
}

provider "aws" {
  region = var.region
}

module "darkroom" {
  source = "../.."

  cluster = {
    admin_arns          = var.admin_arns
    public_access_cidrs = [var.your_network]
  }

  runtimes = var.runtimes

  storage = {
    existing_models_bucket = var.existing_models_bucket
  }

  api = {
    lambda_zip = var.lambda_zip
  }
}
