# In a VPC that exists: nothing is made in it but what Darkroom needs.

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

  network = {
    existing = {
      vpc_id             = var.vpc_id
      private_subnet_ids = var.private_subnet_ids
      # S3 gets a gateway endpoint in these; leave them out if the VPC has one.
      route_table_ids = var.route_table_ids
    }
  }

  # Without public_access_cidrs: the cluster's API is reached from the VPC, by VPN or a bastion.
  cluster = {
    admin_arns = var.admin_arns
  }

  runtimes = {
    sdxl = { type = "comfyui" }
  }

  api = {
    lambda_zip = var.lambda_zip
  }
}
