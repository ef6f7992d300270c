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

  runtimes = {
    sdxl = {
      type                = "comfyui"
      bulk                = true
      job_seconds         = 6
      target_wait_seconds = 30
      min_replicas        = 1
      max_replicas        = 40
      nodes               = { instance_types = ["g6.xlarge", "g6.2xlarge", "g5.xlarge"] }
      alarm_age_seconds   = 300
    }
    webui = {
      type          = "sdwebui"
      dynamic_model = true
      checkpoints   = ["dreamshaper.safetensors", "juggernaut.safetensors"]
      max_replicas  = 10
      input_buckets = var.input_buckets
      settings      = { PREFETCH = "4" }
    }
  }

  encryption = { create_key = true }

  storage = {
    expire_days = { jobs = 90, inputs = 2, artifacts = 30 }
    versioned   = ["models"]
  }

  api = {
    lambda_zip           = var.lambda_zip
    domain               = var.domain
    web_acl_arn          = var.web_acl_arn
    reserved_concurrency = 200
    log_retention_days   = 90
    throttle             = { rate = 500, burst = 1000 }
    tenants              = var.tenants
    usage_plans = {
      standard = { rate = 20, burst = 40, quota = { requests = 100000, period = "DAY" } }
      large    = { rate = 200, burst = 400 }
    }
  }

  webhooks           = { reserved_concurrency = 20 }
  alarm_actions      = var.alarm_actions
  dashboard          = true
  runtime_dashboards = true
}
