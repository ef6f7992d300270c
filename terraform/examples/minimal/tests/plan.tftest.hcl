# The example plans as it stands, without AWS.

mock_provider "aws" {
  source = "../../mocks/aws"
}

variables {
  lambda_zip   = "main.tf"
  region       = "eu-west-1"
  admin_arns   = ["arn:aws:iam::123456789012:role/platform"]
  your_network = "203.0.113.7/32"
}

run "it_is_built_with_three_answers" {
  assert {
    condition     = yamldecode(output.platform_values).karpenter.settings.clusterName == "darkroom"
    error_message = output.platform_values
  }
}

run "what_darkroom_migrate_writes_is_planned" {
  variables {
    runtimes               = jsondecode(file("../../../tests/predecessor/migrated/runtimes.auto.tfvars.json")).runtimes
    existing_models_bucket = jsondecode(file("../../../tests/predecessor/migrated/runtimes.auto.tfvars.json")).existing_models_bucket
  }

  assert {
    condition     = toset(keys(output.runtime_values)) == toset(["comfy", "sdruntime"]) && yamldecode(output.runtime_values.comfy).models.bucket == "sdoneks-models"
    error_message = jsonencode(output.runtime_values)
  }
}
