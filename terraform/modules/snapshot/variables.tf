variable "name" {
  description = "Name of the role and the instance profile."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,22}[a-z0-9]$", var.name))
    error_message = "name is `${var.name}`: use 2 to 24 lower-case letters, digits and hyphens; begin with a letter, end with a letter or a digit."
  }
}

variable "repository_arns" {
  description = "ECR repositories that the snapshot's instance may pull from."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.repository_arns) > 0
    error_message = "repository_arns is empty: a snapshot without images is of no use; make no snapshot role, or name the repositories."
  }
}

variable "tags" {
  description = "Tags of everything made here."
  type        = map(string)
  default     = {}
  nullable    = false
}
