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
