variable "region" {
  description = "China (Beijing) or China (Ningxia), by its code."
  type        = string
  nullable    = false

  validation {
    condition     = startswith(var.region, "cn-")
    error_message = "region is `${var.region}`: this example is for AWS China; elsewhere start from examples/minimal."
  }
}

variable "admin_arns" {
  description = "IAM roles or users that administer the cluster."
  type        = set(string)
  nullable    = false
}

variable "your_network" {
  description = "Network from which you reach the cluster's API, such as 203.0.113.7/32."
  type        = string
  nullable    = false
}

variable "lambda_zip" {
  description = "Path of the zip that `make lambda` builds; null: dist/lambda.zip of this repository."
  type        = string
  default     = null
}
