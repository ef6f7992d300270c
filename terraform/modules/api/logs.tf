# Where the API logs to, and the account's leave for API Gateway to log at all.

resource "aws_cloudwatch_log_group" "access" {
  #checkov:skip=CKV_AWS_338:How long logs are kept is a choice (log_retention_days)
  name              = "/aws/apigateway/${var.name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
  tags              = var.tags
}

# One role for all APIs of the account and region.
resource "aws_api_gateway_account" "this" {
  count = var.account_logging ? 1 : 0

  cloudwatch_role_arn = aws_iam_role.logs[0].arn

  depends_on = [aws_iam_role_policy_attachment.logs]
}

resource "aws_iam_role" "logs" {
  count = var.account_logging ? 1 : 0

  name_prefix = "${var.name}-api-logs-"
  description = "API Gateway's logs in this region"
  tags        = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "ApiGateway"
      Effect    = "Allow"
      Principal = { Service = "apigateway.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

# AWS's own policy: API Gateway tries the role at once, with actions that it does not list elsewhere.
resource "aws_iam_role_policy_attachment" "logs" {
  count = var.account_logging ? 1 : 0

  role       = aws_iam_role.logs[0].name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"
}
