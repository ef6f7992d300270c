# The values that charts take: tests/charts reads these outputs and gives them to Helm.

mock_provider "aws" {
  source = "./mocks/aws"
}

override_resource {
  target = module.karpenter.aws_sqs_queue.interruption
  values = { arn = "arn:aws:sqs:eu-west-1:123456789012:darkroom-interruption" }
}

# A queue has another URL than every other.
override_resource {
  target = module.messaging.aws_sqs_queue.this["sdxl"]
  values = { url = "https://sqs.eu-west-1.amazonaws.com/123456789012/darkroom-sdxl", arn = "arn:aws:sqs:eu-west-1:123456789012:darkroom-sdxl" }
}

override_resource {
  target = module.messaging.aws_sqs_queue.this["sdxl-bulk"]
  values = { url = "https://sqs.eu-west-1.amazonaws.com/123456789012/darkroom-sdxl-bulk", arn = "arn:aws:sqs:eu-west-1:123456789012:darkroom-sdxl-bulk" }
}

override_resource {
  target = module.messaging.aws_sqs_queue.this["webui"]
  values = { url = "https://sqs.eu-west-1.amazonaws.com/123456789012/darkroom-webui", arn = "arn:aws:sqs:eu-west-1:123456789012:darkroom-webui" }
}

# So has a repository.
override_resource {
  target = module.images.aws_ecr_repository.this["agent"]
  values = { repository_url = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/darkroom/agent" }
}

override_resource {
  target = module.images.aws_ecr_repository.this["comfyui"]
  values = { repository_url = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/darkroom/comfyui" }
}

override_resource {
  target = module.images.aws_ecr_repository.this["sdwebui"]
  values = { repository_url = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/darkroom/sdwebui" }
}

variables {
  runtimes = {
    sdxl  = { type = "comfyui", bulk = true, job_seconds = 6, settings = { PREFETCH = "4" }, input_buckets = ["uploads"] }
    webui = { type = "sdwebui", dynamic_model = true, max_replicas = 4, nodes = { instance_types = ["g6.xlarge"], capacity_types = ["on-demand"] } }
  }
  api     = { lambda_zip = "versions.tf" }
  cluster = { admin_arns = ["arn:aws:iam::123456789012:role/platform"] }
}

run "charts_get_their_values" {
  assert {
    condition     = toset(keys(yamldecode(output.platform_values))) == toset(["global", "karpenter"]) && toset(keys(output.runtime_values)) == toset(["sdxl", "webui"])
    error_message = "the platform's values, and one document a runtime"
  }
}
