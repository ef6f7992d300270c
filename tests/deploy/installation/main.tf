# An installation's folder, with what of Darkroom an emulator makes in seconds; its outputs are shaped as the root module's.

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
  s3_use_path_style = true # an emulator on loopback has no name for each bucket
}

locals {
  region     = "us-east-1"
  registry   = "000000000000.dkr.ecr.us-east-1.amazonaws.com/deployed"
  namespaces = { platform = "darkroom-system", runtimes = "darkroom" }
}

module "storage" {
  source = "MODULES/storage"

  name              = "deployed"
  artifact_prefixes = ["sd"]
}

output "deployment" {
  description = "What the deployment goes on with."
  value = {
    region             = local.region
    cluster_name       = "deployed"
    platform_namespace = local.namespaces.platform
    runtimes_namespace = local.namespaces.runtimes
    models_bucket      = module.storage.models_bucket
    api_endpoint       = "https://api.example.com/v1"
    image_repositories = { for name in ["agent", "sdwebui", "comfyui"] : name => "${local.registry}/${name}" }
    runtimes           = { sd = { type = "sdwebui", instance_types = ["g6.xlarge"], capacity_types = ["spot"], max_replicas = 20 } }
  }
}

output "platform_values" {
  description = "Values of charts/platform."
  value = yamlencode({
    global    = { clusterName = "deployed", region = local.region, namespace = local.namespaces.platform }
    karpenter = { settings = { clusterName = "deployed", interruptionQueue = "deployed-interruption" } }
  })
}

output "runtime_values" {
  description = "Values of charts/runtime."
  value = { sd = yamlencode({
    runtime = { name = "sd", type = "sdwebui", image = { repository = "${local.registry}/sdwebui", tag = null } }
    agent   = { image = { repository = "${local.registry}/agent" } }
    aws     = { region = local.region }
    queue   = { url = "https://sqs.us-east-1.amazonaws.com/000000000000/deployed-sd" }
    results = { topicArn = "arn:aws:sns:us-east-1:000000000000:deployed-results" }
    outputs = { bucket = module.storage.outputs_bucket }
    models  = { bucket = module.storage.models_bucket }
    nodes   = { role = "deployed-nodes", discoveryTag = "deployed" }
  }) }
}

output "cli_config" {
  description = "Configuration of the command line."
  value       = "endpoint = \"https://api.example.com/v1\"\n"
}

output "api_keys" {
  description = "Keys."
  value       = { "default/main" = "the-key-of-the-default-tenant" }
  sensitive   = true
}
