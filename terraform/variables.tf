variable "name" {
  description = "What everything is called, and the name of the cluster: 2 to 24 lower-case letters, digits and hyphens, beginning with a letter."
  type        = string
  default     = "darkroom"
  nullable    = false

  # 24 characters leave room for the longest suffix within IAM's 64 and S3's 63.
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,22}[a-z0-9]$", var.name)) && !strcontains(var.name, "--")
    error_message = "name is `${var.name}`: use 2 to 24 lower-case letters, digits and single hyphens; begin with a letter, end with a letter or a digit."
  }
}

variable "tags" {
  description = "Tags of everything that can be tagged. Name them here or in the provider's default_tags, not in both."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for key in keys(var.tags) : !startswith(lower(key), "aws:") && length(key) <= 128])
    error_message = "tags: a key has at most 128 characters and does not begin with `aws:`."
  }
}
