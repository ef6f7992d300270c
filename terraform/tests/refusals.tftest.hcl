# What the root module refuses at plan. What a module's own variables refuse is tested there.

mock_provider "aws" {
  source = "./mocks/aws"
}

variables {
  runtimes = { sdxl = { type = "comfyui" } }
  api      = { lambda_zip = "versions.tf" }
  cluster = {
    admin_arns = ["arn:aws:iam::123456789012:role/platform"]
  }
}

run "a_name_of_25_characters" {
  command = plan
  variables {
    name = "a234567890123456789012345"
  }
  expect_failures = [var.name]
}

run "a_name_with_two_hyphens_in_a_row" {
  command = plan
  variables {
    name = "dark--room"
  }
  expect_failures = [var.name]
}

run "tags_that_belong_to_aws" {
  command = plan
  variables {
    tags = { "aws:team" = "images" }
  }
  expect_failures = [var.tags]
}

run "an_existing_vpc_with_addresses_for_a_new_one" {
  command = plan
  variables {
    network = {
      existing = { vpc_id = "vpc-0123456789abcdef0", private_subnet_ids = ["subnet-0aaaaaaaaaaaaaaaa", "subnet-0bbbbbbbbbbbbbbbb"] }
      cidr     = "10.0.0.0/16"
    }
  }
  expect_failures = [var.network]
}

run "a_namespace_in_capitals" {
  command = plan
  variables {
    platform_namespace = "Darkroom"
  }
  expect_failures = [var.platform_namespace]
}

run "no_runtime" {
  command = plan
  variables {
    runtimes = {}
  }
  expect_failures = [var.runtimes]
}

run "a_type_that_no_agent_speaks" {
  command = plan
  variables {
    runtimes = { sdxl = { type = "invoke" } }
  }
  expect_failures = [var.runtimes]
}

run "a_comfyui_that_switches_checkpoints" {
  command = plan
  variables {
    runtimes = { sdxl = { type = "comfyui", dynamic_model = true } }
  }
  expect_failures = [var.runtimes]
}

run "an_openai_runtime_without_an_image" {
  command = plan
  variables {
    runtimes = { flux = { type = "openai" } }
  }
  expect_failures = [var.runtimes]
}

run "a_webui_with_several_jobs_at_once" {
  command = plan
  variables {
    runtimes = { sdxl = { type = "sdwebui", concurrency = 2 } }
  }
  expect_failures = [var.runtimes]
}

run "a_job_of_no_length" {
  command = plan
  variables {
    runtimes = { sdxl = { type = "comfyui", job_seconds = 0 } }
  }
  expect_failures = [var.runtimes]
}

run "fewer_pods_at_most_than_at_least" {
  command = plan
  variables {
    runtimes = { sdxl = { type = "comfyui", min_replicas = 3, max_replicas = 2 } }
  }
  expect_failures = [var.runtimes]
}

run "a_market_that_is_none" {
  command = plan
  variables {
    runtimes = { sdxl = { type = "comfyui", nodes = { capacity_types = ["reserved"] } } }
  }
  expect_failures = [var.runtimes]
}

run "an_input_bucket_by_its_arn" {
  command = plan
  variables {
    runtimes = { sdxl = { type = "comfyui", input_buckets = ["arn:aws:s3:::photos"] } }
  }
  expect_failures = [var.runtimes]
}

run "a_setting_that_terraform_makes" {
  command = plan
  variables {
    runtimes = { sdxl = { type = "comfyui", settings = { MAX_ATTEMPTS = "9" } } }
  }
  expect_failures = [var.runtimes]
}

run "a_setting_in_small_letters" {
  command = plan
  variables {
    runtimes = { sdxl = { type = "comfyui", settings = { prefetch = "9" } } }
  }
  expect_failures = [var.runtimes]
}

run "a_namespace_of_runtimes_in_capitals" {
  command = plan
  variables {
    runtimes_namespace = "Darkroom"
  }
  expect_failures = [var.runtimes_namespace]
}

run "two_keys" {
  command = plan
  variables {
    encryption = { create_key = true, kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/00000000-0000-4000-8000-000000000000" }
  }
  expect_failures = [var.encryption]
}
