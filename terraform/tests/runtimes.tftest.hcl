# What one entry in `runtimes` becomes: queues, role, alarms, and the values of its release.

mock_provider "aws" {
  source = "./mocks/aws"
}

variables {
  cluster = { admin_arns = ["arn:aws:iam::123456789012:role/platform"] }
  api     = { lambda_zip = "versions.tf", tenants = { acme = {} } }
  runtimes = {
    sdxl  = { type = "comfyui", bulk = true, job_seconds = 6, max_replicas = 40, settings = { PREFETCH = "4" } }
    flux  = { type = "openai", image = { repository = "registry.example/omni", tag = "1" }, concurrency = 4 }
    webui = { type = "sdwebui", dynamic_model = true, checkpoints = ["sharp.safetensors"], input_buckets = ["photos"], image = { tag = "1.10" } }
  }
}

run "values_of_a_release_are_complete" {
  assert {
    condition = yamldecode(output.runtime_values["sdxl"]) == {
      runtime = {
        name         = "sdxl"
        type         = "comfyui"
        image        = { repository = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/mocked", tag = null }
        dynamicModel = false
        concurrency  = 1
      }
      agent = {
        image    = { repository = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/mocked" }
        settings = { PREFETCH = "4" }
      }
      aws = { region = "eu-west-1" }
      queue = {
        url               = module.messaging.runtimes["sdxl"].queue_url
        bulkUrl           = module.messaging.runtimes["sdxl"].bulk_queue_url
        visibilitySeconds = 60
        maxAttempts       = 4
      }
      results        = { topicArn = "arn:aws:sns:eu-west-1:123456789012:mocked" }
      outputs        = { bucket = module.storage.outputs_bucket }
      inputs         = { buckets = [] }
      telemetry      = { otlpEndpoint = "http://darkroom-collector.darkroom-system:4318" }
      networkPolicy  = { collectorNamespace = "darkroom-system" }
      pod            = { priorityClassName = "darkroom-runtime" }
      models         = { bucket = module.storage.models_bucket, schedulingGate = "" }
      serviceAccount = { name = "sdxl" }
      scaling        = { jobSeconds = 6, targetWaitSeconds = 60, minReplicas = 0, maxReplicas = 40 }
      nodes = {
        role          = module.karpenter.node_role_name
        discoveryTag  = "darkroom"
        instanceTypes = ["g5.xlarge", "g6.xlarge"]
        capacityTypes = ["spot", "on-demand"]
      }
    }
    error_message = output.runtime_values["sdxl"]
  }

  assert {
    condition     = yamldecode(output.runtime_values["flux"]).runtime.image.repository == "registry.example/omni" && yamldecode(output.runtime_values["flux"]).runtime.concurrency == 4
    error_message = output.runtime_values["flux"]
  }

  assert {
    condition     = yamldecode(output.runtime_values["webui"]).queue.bulkUrl == null && yamldecode(output.runtime_values["webui"]).runtime.image.tag == "1.10" && yamldecode(output.runtime_values["webui"]).runtime.dynamicModel
    error_message = output.runtime_values["webui"]
  }
}

run "pods_wait_for_room_where_the_s3_driver_reserves_it" {
  command = plan

  variables {
    cluster = { admin_arns = ["arn:aws:iam::123456789012:role/platform"], reserve_mountpoint_headroom = true }
  }

  assert {
    condition     = yamldecode(output.runtime_values["sdxl"]).models.schedulingGate == "s3.csi.aws.com/reserve-headroom-for-mppod"
    error_message = output.runtime_values["sdxl"]
  }
}

run "the_command_line_is_configured" {
  assert {
    condition = output.cli_config == join("", [for line in [
      "endpoint = \"https://mocked.execute-api.eu-west-1.amazonaws.com/prod\"",
      "jobs_topic_arn = \"arn:aws:sns:eu-west-1:123456789012:mocked\"",
      "models_bucket = \"${module.storage.models_bucket}\"",
      "output_bucket = \"${module.storage.outputs_bucket}\"",
      "queue_url_prefix = \"https://sqs.eu-west-1.amazonaws.com/123456789012/darkroom-\"",
      "region = \"eu-west-1\"",
      "results_topic_arn = \"arn:aws:sns:eu-west-1:123456789012:mocked\"",
    ] : "${line}\n"])
    error_message = output.cli_config
  }

  assert {
    condition     = toset(keys(output.api_keys)) == toset(["acme/main"]) && output.webhook_secrets_path == "/darkroom/webhooks/" && output.runtimes_namespace == "darkroom"
    error_message = "where keys and secrets are"
  }
}

run "it_plans_with_a_key_of_its_own_and_an_existing_models_bucket" {
  command = plan

  variables {
    encryption = { create_key = true }
    storage    = { existing_models_bucket = "our-models", models_kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/00000000-0000-4000-8000-000000000009" }
  }

  assert {
    condition     = yamldecode(output.platform_values).karpenter.settings.clusterName == "darkroom" && module.storage.models_bucket == "our-models"
    error_message = "models lie in the bucket that is there"
  }
}
