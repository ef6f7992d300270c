# The REST API: its routes, its callers, its bounds.

mock_provider "aws" {
  source = "../../mocks/aws"
}

variables {
  name         = "darkroom"
  openapi_file = "../../../api/darkroom_api/openapi.yaml"
  invoke_arn   = "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/arn:aws:lambda:eu-west-1:123456789012:function:darkroom-jobs/invocations"
  tenants      = { acme = {}, zoo = { keys = ["old", "new"] } }
}

run "every_operation_of_the_contract_calls_the_lambda" {
  assert {
    condition = alltrue(flatten([for path, item in yamldecode(file(var.openapi_file)).paths : [
      for method, operation in item : jsondecode(aws_api_gateway_rest_api.this.body).paths[path][method].x-amazon-apigateway-integration.uri == var.invoke_arn
      if method != "parameters"
    ]]))
    error_message = aws_api_gateway_rest_api.this.body
  }

  assert {
    condition     = jsondecode(aws_api_gateway_rest_api.this.body).paths["/v1/jobs/{id}"].get.parameters == [{ name = "id", in = "path", required = true, schema = { type = "string" } }]
    error_message = aws_api_gateway_rest_api.this.body
  }
}

run "a_key_is_asked_for_but_for_page_and_contract" {
  assert {
    condition = toset(flatten([for path, item in jsondecode(aws_api_gateway_rest_api.this.body).paths : [for method, operation in item : "${method} ${path}" if length(operation.security) == 0]])) == toset(
      ["get /", "get /assets/{name}", "get /v1/openapi.json"]
    )
    error_message = aws_api_gateway_rest_api.this.body
  }

  assert {
    condition     = jsondecode(aws_api_gateway_rest_api.this.body).components.securitySchemes == { api_key = { type = "apiKey", in = "header", name = "x-api-key" } }
    error_message = aws_api_gateway_rest_api.this.body
  }
}

run "tenants_have_keys_on_plans" {
  assert {
    condition     = toset([for key in aws_api_gateway_api_key.this : key.name]) == toset(["darkroom/acme/main", "darkroom/zoo/old", "darkroom/zoo/new"])
    error_message = jsonencode([for key in aws_api_gateway_api_key.this : key.name])
  }

  assert {
    condition     = toset(values(output.tenants)) == toset(["acme", "zoo"]) && length(output.tenants) == 3 && length(aws_api_gateway_usage_plan_key.this) == 3
    error_message = "each key belongs to its tenant, and has a plan"
  }

  assert {
    condition     = one(aws_api_gateway_usage_plan.this["standard"].throttle_settings).rate_limit == 20
    error_message = "a plan bounds each key"
  }
}

run "quotas_by_choice" {
  variables {
    usage_plans = { standard = { rate = 5, burst = 10, quota = { requests = 1000, period = "DAY" } } }
  }

  assert {
    condition     = one(aws_api_gateway_usage_plan.this["standard"].quota_settings).limit == 1000
    error_message = jsonencode(aws_api_gateway_usage_plan.this["standard"])
  }
}

run "signatures_in_place_of_keys" {
  variables {
    authorization = "AWS_IAM"
    tenants       = {}
  }

  assert {
    condition     = jsondecode(aws_api_gateway_rest_api.this.body).components.securitySchemes.signature.x-amazon-apigateway-authtype == "awsSigv4" && jsondecode(aws_api_gateway_rest_api.this.body).paths["/v1/jobs"].post.security == [{ signature = [] }]
    error_message = aws_api_gateway_rest_api.this.body
  }
}

run "the_stage_bounds_logs_and_traces" {
  variables {
    throttle           = { rate = 7, burst = 9 }
    log_retention_days = 7
  }

  assert {
    condition     = [one(aws_api_gateway_method_settings.this.settings).throttling_rate_limit, one(aws_api_gateway_method_settings.this.settings).throttling_burst_limit] == [7, 9] && aws_api_gateway_stage.this.xray_tracing_enabled
    error_message = jsonencode(aws_api_gateway_method_settings.this)
  }

  assert {
    condition     = one(aws_api_gateway_stage.this.access_log_settings).destination_arn == aws_cloudwatch_log_group.access.arn && aws_cloudwatch_log_group.access.retention_in_days == 7
    error_message = "requests are logged"
  }

  assert {
    condition     = !strcontains(one(aws_api_gateway_stage.this.access_log_settings).format, "header") && !one(aws_api_gateway_method_settings.this.settings).data_trace_enabled
    error_message = "neither headers nor bodies get into a log"
  }
}

run "other_sites_by_choice" {
  variables {
    cors_origins = ["https://studio.example.com"]
  }

  assert {
    condition     = alltrue([for item in jsondecode(aws_api_gateway_rest_api.this.body).paths : item.options.security == []])
    error_message = aws_api_gateway_rest_api.this.body
  }

  assert {
    condition     = keys(jsondecode(aws_api_gateway_rest_api.this.body).x-amazon-apigateway-gateway-responses) == ["DEFAULT_4XX", "DEFAULT_5XX"]
    error_message = aws_api_gateway_rest_api.this.body
  }
}

run "a_domain_and_a_firewall_by_choice" {
  variables {
    domain      = { name = "images.example.com", certificate_arn = "arn:aws:acm:eu-west-1:123456789012:certificate/1", zone_id = "Z1" }
    web_acl_arn = "arn:aws:wafv2:eu-west-1:123456789012:regional/webacl/front/1"
  }

  assert {
    condition     = output.endpoint == "https://images.example.com" && aws_api_gateway_rest_api.this.disable_execute_api_endpoint && length(aws_route53_record.this) == 1
    error_message = output.endpoint
  }

  assert {
    condition     = one(aws_wafv2_web_acl_association.this).web_acl_arn == var.web_acl_arn
    error_message = "the firewall stands before the stage"
  }
}

run "none_of_it_without_being_asked" {
  assert {
    condition     = length(aws_route53_record.this) + length(aws_api_gateway_domain_name.this) + length(aws_wafv2_web_acl_association.this) == 0 && output.endpoint == aws_api_gateway_stage.this.invoke_url
    error_message = output.endpoint
  }

  assert {
    condition     = !can(jsondecode(aws_api_gateway_rest_api.this.body).paths["/v1/jobs"].options)
    error_message = aws_api_gateway_rest_api.this.body
  }
}

run "an_account_that_logs_already" {
  variables {
    account_logging = false
  }

  assert {
    condition     = length(aws_api_gateway_account.this) + length(aws_iam_role.logs) == 0
    error_message = "the account's role is left as it is"
  }
}
