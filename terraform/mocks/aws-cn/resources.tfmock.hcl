# What AWS would call what was made: ARNs that read as ARNs.

mock_resource "aws_iam_role" {
  defaults = { arn = "arn:aws-cn:iam::210987654321:role/mocked" }
}

mock_resource "aws_iam_policy" {
  defaults = { arn = "arn:aws-cn:iam::210987654321:policy/mocked" }
}

mock_resource "aws_kms_key" {
  defaults = { arn = "arn:aws-cn:kms:cn-north-1:210987654321:key/00000000-0000-4000-8000-000000000000" }
}

mock_resource "aws_sqs_queue" {
  defaults = { arn = "arn:aws-cn:sqs:cn-north-1:210987654321:mocked" }
}

mock_resource "aws_cloudwatch_event_rule" {
  defaults = { arn = "arn:aws-cn:events:cn-north-1:210987654321:rule/mocked" }
}

mock_resource "aws_cloudwatch_log_group" {
  defaults = { arn = "arn:aws-cn:logs:cn-north-1:210987654321:log-group:mocked" }
}

mock_resource "aws_ecr_repository" {
  defaults = {
    arn            = "arn:aws-cn:ecr:cn-north-1:210987654321:repository/mocked"
    repository_url = "210987654321.dkr.ecr.cn-north-1.amazonaws.com.cn/mocked"
  }
}

mock_resource "aws_eks_cluster" {
  defaults = {
    arn                   = "arn:aws-cn:eks:cn-north-1:210987654321:cluster/mocked"
    endpoint              = "https://0123456789ABCDEF.gr7.cn-north-1.eks.amazonaws.com.cn"
    certificate_authority = [{ data = "TU9DS0VE" }]
  }
}

mock_resource "aws_launch_template" {
  defaults = { id = "lt-0123456789abcdef0" }
}

mock_resource "aws_sns_topic" {
  defaults = { arn = "arn:aws-cn:sns:cn-north-1:210987654321:mocked" }
}

mock_resource "aws_sns_topic_subscription" {
  defaults = { arn = "arn:aws-cn:sns:cn-north-1:210987654321:mocked:00000000-0000-4000-8000-000000000000" }
}

mock_resource "aws_lambda_function" {
  defaults = {
    arn        = "arn:aws-cn:lambda:cn-north-1:210987654321:function:mocked"
    invoke_arn = "arn:aws-cn:apigateway:cn-north-1:lambda:path/2015-03-31/functions/arn:aws-cn:lambda:cn-north-1:210987654321:function:mocked/invocations"
  }
}

mock_resource "aws_api_gateway_rest_api" {
  defaults = { execution_arn = "arn:aws-cn:execute-api:cn-north-1:210987654321:mocked" }
}

mock_resource "aws_api_gateway_stage" {
  defaults = {
    arn        = "arn:aws-cn:apigateway:cn-north-1::/restapis/mocked/stages/prod"
    invoke_url = "https://mocked.execute-api.cn-north-1.amazonaws.com.cn/prod"
  }
}
