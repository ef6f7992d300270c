# What is refused at plan.

mock_provider "aws" {
  source = "../../mocks/aws"
}

variables {
  name         = "darkroom"
  openapi_file = "../../../api/darkroom_api/openapi.yaml"
  invoke_arn   = "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/arn:aws:lambda:eu-west-1:123456789012:function:darkroom-jobs/invocations"
}

run "another_kind_of_caller" {
  command = plan
  variables {
    authorization = "NONE"
  }
  expect_failures = [var.authorization]
}

run "a_stage_with_a_slash" {
  command = plan
  variables {
    stage = "v1/prod"
  }
  expect_failures = [var.stage]
}

run "no_request_at_all" {
  command = plan
  variables {
    throttle = { rate = 0 }
  }
  expect_failures = [var.throttle]
}

run "a_plan_that_refuses_all" {
  command = plan
  variables {
    usage_plans = { standard = { rate = 0, burst = 1 } }
  }
  expect_failures = [var.usage_plans]
}

run "a_quota_by_the_hour" {
  command = plan
  variables {
    usage_plans = { standard = { rate = 1, burst = 1, quota = { requests = 1, period = "HOUR" } } }
  }
  expect_failures = [var.usage_plans]
}

run "a_tenant_with_a_space" {
  command = plan
  variables {
    tenants = { "a b" = {} }
  }
  expect_failures = [var.tenants]
}

run "a_plan_that_is_not_there" {
  command = plan
  variables {
    tenants = { acme = { plan = "gold" } }
  }
  expect_failures = [var.tenants]
}

run "tenants_without_keys" {
  command = plan
  variables {
    tenants       = { acme = {} }
    authorization = "AWS_IAM"
  }
  expect_failures = [var.tenants]
}

run "a_certificate_by_its_id" {
  command = plan
  variables {
    domain = { name = "images.example.com", certificate_arn = "1234" }
  }
  expect_failures = [var.domain]
}

run "a_firewall_for_cloudfront" {
  command = plan
  variables {
    web_acl_arn = "arn:aws:wafv2:us-east-1:123456789012:global/webacl/front/1"
  }
  expect_failures = [var.web_acl_arn]
}

