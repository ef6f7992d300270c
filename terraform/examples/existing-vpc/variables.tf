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

variable "vpc_id" {
  description = "The VPC."
  type        = string
  nullable    = false
}

variable "private_subnet_ids" {
  description = "Its subnets for nodes, in at least two zones, with a way out. They carry one `karpenter.sh/discovery` tag: two clusters cannot share them."
  type        = list(string)
  nullable    = false
}

variable "route_table_ids" {
  description = "Route tables of these subnets."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "lambda_zip" {
  description = "Path of the zip that `make lambda` builds; null: dist/lambda.zip of this repository."
  type        = string
  default     = null
}
