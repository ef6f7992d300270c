# In China ARNs are China's.

mock_provider "aws" {
  source = "../../mocks/aws-cn"
}

variables {
  name              = "darkroom"
  function          = { lambda_zip = "./main.tf" }
  outputs_bucket    = "outputs"
  models_bucket     = "models"
  jobs_topic_arn    = "arn:aws-cn:sns:cn-north-1:210987654321:darkroom-jobs"
  queue_url_prefix  = "https://sqs.cn-north-1.amazonaws.com.cn/210987654321/darkroom-"
  api_execution_arn = "arn:aws-cn:execute-api:cn-north-1:210987654321:abc"
  runtimes          = { sdxl = { type = "comfyui" } }
}

run "policies_are_of_their_partition" {
  assert {
    condition     = length(regexall("arn:aws:", jsonencode(local.statements))) == 0
    error_message = jsonencode(local.statements)
  }
}
