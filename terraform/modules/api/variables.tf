variable "name" {
  description = "Name of the REST API."
  type        = string
  nullable    = false
}

variable "openapi_file" {
  description = "Path of the HTTP contract (OpenAPI, YAML): its paths, methods and which of them need no key."
  type        = string
  nullable    = false

  validation {
    condition     = can(yamldecode(file(var.openapi_file)).paths)
    error_message = "openapi_file: `${var.openapi_file}` is no OpenAPI document in YAML; the repository's is api/darkroom_api/openapi.yaml."
  }
}

variable "invoke_arn" {
  description = "ARN by which API Gateway calls the jobs Lambda."
  type        = string
  nullable    = false
}

variable "stage" {
  description = "Name of the stage: the first part of the path without a domain of one's own."
  type        = string
  default     = "prod"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,128}$", var.stage))
    error_message = "stage is `${var.stage}`: use letters, digits, `_` and `-`."
  }
}

variable "authorization" {
  description = "How callers are known: API_KEY (each tenant's x-api-key) or AWS_IAM (signed requests; no tenants)."
  type        = string
  default     = "API_KEY"
  nullable    = false

  validation {
    condition     = contains(["API_KEY", "AWS_IAM"], var.authorization)
    error_message = "authorization is `${var.authorization}`: use API_KEY or AWS_IAM."
  }
}

variable "throttle" {
  description = "Requests a second of all callers together, and how many may come at once."
  type = object({
    rate  = optional(number, 100)
    burst = optional(number, 200)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.throttle.rate > 0 && var.throttle.burst >= 1
    error_message = "throttle: rate and burst must be above 0, or every request is refused."
  }
}

variable "usage_plans" {
  description = "Kinds of tenants: what each key may ask a second (`rate`), at once (`burst`), and in all per DAY, WEEK or MONTH (`quota`)."
  type = map(object({
    rate  = number
    burst = number
    quota = optional(object({ requests = number, period = string }))
  }))
  default  = { standard = { rate = 20, burst = 40 } }
  nullable = false

  validation {
    condition     = alltrue([for plan in var.usage_plans : plan.rate > 0 && plan.burst >= 1])
    error_message = "usage_plans: rate and burst must be above 0, or every request is refused."
  }

  validation {
    condition     = alltrue([for plan in var.usage_plans : plan.quota == null ? true : contains(["DAY", "WEEK", "MONTH"], plan.quota.period) && plan.quota.requests >= 1])
    error_message = "usage_plans: a quota has `requests` of at least 1 and a `period` of DAY, WEEK or MONTH."
  }
}

variable "tenants" {
  description = "Tenants by name: the usage plan of each, and the names of its keys. To change a key, add a second, move the callers, remove the first."
  type = map(object({
    plan = optional(string, "standard")
    keys = optional(set(string), ["main"])
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for name in keys(var.tenants) : can(regex("^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$", name))])
    error_message = "tenants: a name has 1 to 128 letters, digits and `._-`, and begins with a letter or a digit."
  }

  validation {
    condition     = alltrue([for tenant in var.tenants : contains(keys(var.usage_plans), tenant.plan)])
    error_message = "tenants: a plan is not among usage_plans; define it there."
  }

  validation {
    condition     = var.authorization == "API_KEY" || length(var.tenants) == 0
    error_message = "tenants: they are told apart by their API keys, which AWS_IAM does not use; set authorization to API_KEY or leave tenants out."
  }
}

variable "cors_origins" {
  description = "Sites whose pages may call the API, as `https://host`; each path then answers a browser's OPTIONS."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "domain" {
  description = "A domain of one's own: its name, an ACM certificate of this region, and the Route 53 zone for its record (null: made elsewhere)."
  type = object({
    name            = string
    certificate_arn = string
    zone_id         = optional(string)
  })
  default = null

  validation {
    condition     = var.domain == null ? true : can(regex("^arn:[a-z-]+:acm:[a-z0-9-]+:[0-9]{12}:certificate/", var.domain.certificate_arn))
    error_message = "domain.certificate_arn: give the ARN of an ACM certificate in the API's own region."
  }
}

variable "web_acl_arn" {
  description = "WAF web ACL (regional) that stands before the API; null: none."
  type        = string
  default     = null

  validation {
    condition     = var.web_acl_arn == null ? true : can(regex("^arn:[a-z-]+:wafv2:[a-z0-9-]+:[0-9]{12}:regional/webacl/", var.web_acl_arn))
    error_message = "web_acl_arn: give the ARN of a regional WAFv2 web ACL."
  }
}

variable "account_logging" {
  description = "Whether to set the role by which API Gateway logs: one for the account and region. false where it is set already."
  type        = bool
  default     = true
  nullable    = false
}

variable "log_retention_days" {
  description = "Days that access logs are kept."
  type        = number
  default     = 30
  nullable    = false
}

variable "kms_key_arn" {
  description = "KMS key for the access log; null: AWS encrypts with its own."
  type        = string
  default     = null
}

variable "tracing" {
  description = "Whether X-Ray records requests."
  type        = bool
  default     = true
  nullable    = false
}

variable "tags" {
  description = "Tags of everything made here."
  type        = map(string)
  default     = {}
  nullable    = false
}
