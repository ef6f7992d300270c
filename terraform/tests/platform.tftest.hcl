# What the root module wires: network, cluster, Karpenter, images, and the values of charts/platform.

mock_provider "aws" {
  source = "./mocks/aws"
}

override_resource {
  target = module.karpenter.aws_sqs_queue.interruption
  values = { arn = "arn:aws:sqs:eu-west-1:123456789012:darkroom-interruption" }
}

variables {
  runtimes = { sdxl = { type = "comfyui" } }
  api      = { lambda_zip = "versions.tf" }
  cluster = {
    admin_arns = ["arn:aws:iam::123456789012:role/platform"]
  }
}

run "charts_get_what_they_need_without_an_arn_copied_by_hand" {
  assert {
    condition = yamldecode(output.platform_values).karpenter.settings == {
      clusterName       = "darkroom"
      clusterEndpoint   = "https://0123456789ABCDEF.gr7.eu-west-1.eks.amazonaws.com"
      interruptionQueue = "darkroom-interruption"
      eksControlPlane   = true
    }
    error_message = output.platform_values
  }

  assert {
    condition     = yamldecode(output.platform_values).karpenter.controller.env == [{ name = "AWS_REGION", value = "eu-west-1" }]
    error_message = output.platform_values
  }

  assert {
    condition     = [output.platform_namespace, output.cluster_name, output.region] == ["darkroom-system", "darkroom", "eu-west-1"]
    error_message = "where to install it"
  }
}

run "what_is_left_out_takes_the_modules_default" {
  command = plan

  variables {
    cluster = {
      admin_arns   = ["arn:aws:iam::123456789012:role/platform"]
      system_nodes = { count = 3 }
    }
  }

  assert {
    condition     = length(output.private_subnet_ids) == 3 && toset(keys(output.image_repositories)) == toset(["agent", "sdwebui", "comfyui"])
    error_message = "three zones, three repositories"
  }
}

run "an_existing_vpc_is_passed_on" {
  command = plan

  variables {
    network = {
      existing = { vpc_id = "vpc-0123456789abcdef0", private_subnet_ids = ["subnet-0aaaaaaaaaaaaaaaa", "subnet-0bbbbbbbbbbbbbbbb"] }
    }
  }

  assert {
    condition     = output.vpc_id == "vpc-0123456789abcdef0" && length(output.nat_addresses) == 0
    error_message = "no VPC and no NAT gateway is made"
  }
}
