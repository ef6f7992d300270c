variable "name" {
  description = "What everything is called."
  type        = string
  default     = "darkroom-prod"
  nullable    = false
}

variable "region" {
  description = "Region to build in, such as one that has your GPUs."
  type        = string
  nullable    = false
}

variable "zones" {
  description = "Three of its zones, by name: those that have your GPUs."
  type        = list(string)
  nullable    = false
}

variable "admin_arns" {
  description = "IAM roles or users that administer the cluster."
  type        = set(string)
  nullable    = false
}

variable "viewer_arns" {
  description = "IAM roles or users that may look, and change nothing."
  type        = set(string)
  default     = []
  nullable    = false
}

variable "office_networks" {
  description = "Networks from which the cluster's API is reached."
  type        = set(string)
  nullable    = false
}

variable "addon_versions" {
  description = "Versions of the EKS add-ons, as they were tried before."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "domain" {
  description = "Domain of the API: its name, its certificate in ACM, and the Route 53 zone that its record goes to."
  type = object({
    name            = string
    certificate_arn = string
    zone_id         = optional(string)
  })
}

variable "web_acl_arn" {
  description = "WAF web ACL before the API; null: none."
  type        = string
  default     = null
}

variable "tenants" {
  description = "Tenants by name: the usage plan of each (standard or large), and the names of its keys."
  type = map(object({
    plan = optional(string, "standard")
    keys = optional(set(string), ["main"])
  }))
  nullable = false
}

variable "input_buckets" {
  description = "Further buckets that inputs may come from."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "alarm_actions" {
  description = "SNS topics that alarms are told to."
  type        = list(string)
  nullable    = false
}

variable "lambda_zip" {
  description = "Path of the zip that `make lambda` builds; null: dist/lambda.zip of this repository."
  type        = string
  default     = null
}
