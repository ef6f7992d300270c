# In AWS China: the same modules; images come from your own repositories, for registries abroad are slow or out of reach.

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

  images = {
    # Mirrors of what charts/platform pulls from abroad, beside our own.
    repositories = ["agent", "sdwebui", "comfyui", "mirror/karpenter", "mirror/keda", "mirror/keda-metrics-apiserver", "mirror/keda-admission-webhooks"]
  }

  runtimes = {
    sdxl = { type = "comfyui" }
  }

  api = {
    lambda_zip = var.lambda_zip
  }
}
