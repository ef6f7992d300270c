# In China names are China's.

mock_provider "aws" {
  source = "../../mocks/aws-cn"
}

variables {
  name         = "darkroom"
  openapi_file = "../../../api/darkroom_api/openapi.yaml"
  invoke_arn   = "arn:aws-cn:apigateway:cn-north-1:lambda:path/2015-03-31/functions/arn:aws-cn:lambda:cn-north-1:210987654321:function:darkroom-jobs/invocations"
}

run "policies_and_endpoint_are_of_their_partition" {
  assert {
    condition     = startswith(one(aws_iam_role_policy_attachment.logs).policy_arn, "arn:aws-cn:iam::aws:policy/") && endswith(output.endpoint, ".amazonaws.com.cn/prod")
    error_message = output.endpoint
  }
}
