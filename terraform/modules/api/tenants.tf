# Who may call how often: a usage plan per kind of tenant, and each tenant's keys.

locals {
  keys = merge([for tenant, setting in var.tenants : {
    for key in setting.keys : "${tenant}/${key}" => { tenant = tenant, plan = setting.plan }
  }]...)
}

resource "aws_api_gateway_usage_plan" "this" {
  for_each = var.usage_plans

  name        = "${var.name}-${each.key}"
  description = "Tenants of ${var.name} on the plan ${each.key}"
  tags        = var.tags

  api_stages {
    api_id = aws_api_gateway_rest_api.this.id
    stage  = aws_api_gateway_stage.this.stage_name
  }

  throttle_settings {
    rate_limit  = each.value.rate
    burst_limit = each.value.burst
  }

  dynamic "quota_settings" {
    for_each = each.value.quota == null ? [] : [each.value.quota]

    content {
      limit  = quota_settings.value.requests
      period = quota_settings.value.period
    }
  }
}

resource "aws_api_gateway_api_key" "this" {
  for_each = local.keys

  name        = "${var.name}/${each.key}"
  description = "Tenant ${each.value.tenant} of ${var.name}"
  tags        = var.tags
}

resource "aws_api_gateway_usage_plan_key" "this" {
  for_each = local.keys

  key_id        = aws_api_gateway_api_key.this[each.key].id
  key_type      = "API_KEY"
  usage_plan_id = aws_api_gateway_usage_plan.this[each.value.plan].id
}
