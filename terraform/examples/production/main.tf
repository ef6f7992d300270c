# Ready for customers: a NAT gateway in each zone, private endpoints, logs that stay, keys and versions that are pinned.

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

  name = var.name
  tags = { service = "image-generation" }

  network = {
    cidr                    = "10.80.0.0/16"
    zones                   = var.zones
    nat_gateways            = "per_zone"
    interface_endpoints     = ["ecr.api", "ecr.dkr", "sqs", "sns", "sts", "logs", "xray"]
    flow_log_retention_days = 90
  }

  cluster = {
    admin_arns          = var.admin_arns
    viewer_arns         = var.viewer_arns
    public_access_cidrs = var.office_networks
    log_retention_days  = 365
    system_nodes        = { instance_types = ["m7g.large", "m6g.large"], count = 3 }
    addon_versions      = var.addon_versions
  }

  images = {
    pull_through_caches = { ecr-public = { registry = "public.ecr.aws" } }
  }
}
