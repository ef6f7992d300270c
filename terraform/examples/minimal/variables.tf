variable "region" {
  description = "Region to build in, such as one that has your GPUs."
  type        = string
  nullable    = false
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

variable "runtimes" {
  description = "The runtimes by name, each with what `runtimes` of the root module takes."
  type        = any
  default     = { sdxl = { type = "comfyui" } }
  nullable    = false
}

variable "existing_models_bucket" {
  description = "Name of a bucket that holds the models already; null: one is made."
  type        = string
  default     = null
}

variable "lambda_zip" {
  description = "Path of the zip that `make lambda` builds; null: dist/lambda.zip of this repository."
  type        = string
  default     = null
}
