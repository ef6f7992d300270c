variable "name" {
  description = "Name of the key: its alias is `alias/<name>`."
  type        = string
  nullable    = false
}

variable "deletion_window_days" {
  description = "Days between `terraform destroy` and the key's end, in which it can be saved; all that it encrypted ends with it."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.deletion_window_days >= 7 && var.deletion_window_days <= 30 && floor(var.deletion_window_days) == var.deletion_window_days
    error_message = "deletion_window_days is ${var.deletion_window_days}: KMS takes whole days, 7 to 30."
  }
}

variable "tags" {
  description = "Tags of everything made here."
  type        = map(string)
  default     = {}
  nullable    = false
}
