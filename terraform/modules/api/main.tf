# The REST API and its stage: throttles, logs, traces.

data "aws_partition" "current" {}

resource "aws_api_gateway_rest_api" "this" {
  name                         = var.name
  description                  = "Jobs API of ${var.name}"
  body                         = local.body
  minimum_compression_size     = "1024"
  disable_execute_api_endpoint = var.domain != null
  tags                         = var.tags

  endpoint_configuration {
    types = ["REGIONAL"]
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_api_gateway_deployment" "this" {
  rest_api_id = aws_api_gateway_rest_api.this.id
  triggers    = { body = sha256(local.body) }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_api_gateway_stage" "this" {
  #checkov:skip=CKV_AWS_120:A job's state must be told as it is, not as it was
  #checkov:skip=CKV2_AWS_51:Callers are known by key or signature; certificates are another choice
  #checkov:skip=CKV2_AWS_29:A firewall is a choice (web_acl_arn)
  #checkov:skip=CKV2_AWS_77:Nothing behind it runs Java
  rest_api_id          = aws_api_gateway_rest_api.this.id
  deployment_id        = aws_api_gateway_deployment.this.id
  stage_name           = var.stage
  xray_tracing_enabled = var.tracing
  tags                 = var.tags

  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.access.arn
    # No query, no header: neither keys nor signatures get into the log.
    format = jsonencode({
      requestId  = "$context.requestId"
      traceId    = "$context.xrayTraceId"
      time       = "$context.requestTimeEpoch"
      ip         = "$context.identity.sourceIp"
      apiKeyId   = "$context.identity.apiKeyId"
      caller     = "$context.identity.userArn"
      method     = "$context.httpMethod"
      route      = "$context.resourcePath"
      status     = "$context.status"
      bytes      = "$context.responseLength"
      ms         = "$context.responseLatency"
      lambdaMs   = "$context.integrationLatency"
      error      = "$context.error.message"
      lambdaFail = "$context.integrationErrorMessage"
    })
  }

  depends_on = [aws_api_gateway_account.this]
}

resource "aws_api_gateway_method_settings" "this" {
  #checkov:skip=CKV_AWS_225:A job's state must be told as it is, not as it was
  rest_api_id = aws_api_gateway_rest_api.this.id
  stage_name  = aws_api_gateway_stage.this.stage_name
  method_path = "*/*"

  settings {
    metrics_enabled        = true
    logging_level          = "ERROR"
    data_trace_enabled     = false
    throttling_rate_limit  = var.throttle.rate
    throttling_burst_limit = var.throttle.burst
  }
}

resource "aws_wafv2_web_acl_association" "this" {
  count = var.web_acl_arn == null ? 0 : 1

  resource_arn = aws_api_gateway_stage.this.arn
  web_acl_arn  = var.web_acl_arn
}
