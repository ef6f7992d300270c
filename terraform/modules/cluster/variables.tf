variable "name" {
  description = "Name of the cluster: at most 24 characters."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,22}[a-z0-9]$", var.name))
    error_message = "name is `${var.name}`: use 2 to 24 lower-case letters, digits and hyphens; begin with a letter, end with a letter or a digit."
  }
}

variable "kubernetes_version" {
  description = "Kubernetes version of the control plane, `1.NN`. EKS upgrades one minor version at a time, and never goes back."
  type        = string
  default     = "1.35"
  nullable    = false

  # 1.33: native sidecars are stable, on which the order of start and stop in a runtime's pod rests.
  validation {
    condition     = can(regex("^1\\.[0-9]{2}$", var.kubernetes_version)) && try(tonumber(split(".", var.kubernetes_version)[1]) >= 33, false)
    error_message = "kubernetes_version is `${var.kubernetes_version}`: use 1.33 or newer, without a patch version. Older ones lack stable sidecar containers."
  }
}

variable "subnet_ids" {
  description = "Private subnets of the control plane's interfaces and of the system nodes, in at least two zones."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "subnet_ids: EKS needs at least two subnets, in different zones."
  }
}

variable "admin_arns" {
  description = <<-EOT
    IAM roles or users that administer the cluster. Who applies this is not among them unless named: access does not depend on
    who ran Terraform last. Of an assumed role give the role (`arn:…:iam::…:role/…`), not the session.
  EOT
  type        = set(string)
  nullable    = false

  validation {
    condition     = length(var.admin_arns) > 0
    error_message = "admin_arns is empty: nobody could use the cluster. `aws sts get-caller-identity` names who you are."
  }

  validation {
    condition     = alltrue([for arn in var.admin_arns : can(regex("^arn:[a-z-]+:iam::[0-9]{12}:(role|user)/", arn))])
    error_message = "admin_arns: give ARNs of IAM roles or users, such as arn:aws:iam::123456789012:role/platform. For a session of a role (`:sts:` in it) give the role's own ARN."
  }
}

variable "viewer_arns" {
  description = "IAM roles or users that may look at everything in the cluster but secrets."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for arn in var.viewer_arns : can(regex("^arn:[a-z-]+:iam::[0-9]{12}:(role|user)/", arn))])
    error_message = "viewer_arns: give ARNs of IAM roles or users, such as arn:aws:iam::123456789012:role/support."
  }

  validation {
    condition     = length(setintersection(var.viewer_arns, var.admin_arns)) == 0
    error_message = "viewer_arns names one of admin_arns: EKS has one access entry for a role; name it once."
  }
}

variable "public_access_cidrs" {
  description = "Networks from which the cluster's API is reached over the internet; none leaves it reachable from the VPC alone."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for cidr in var.public_access_cidrs : can(cidrnetmask(cidr))])
    error_message = "public_access_cidrs: give IPv4 networks, such as 203.0.113.7/32."
  }

  validation {
    condition     = !contains([for cidr in var.public_access_cidrs : try(tonumber(split("/", cidr)[1]), -1)], 0)
    error_message = "public_access_cidrs: a network of /0 opens the API to the whole internet; name your own networks, such as 203.0.113.7/32."
  }
}

variable "secrets_kms_key_arn" {
  description = "KMS key that encrypts Kubernetes secrets; null makes one."
  type        = string
  default     = null

  validation {
    condition     = var.secrets_kms_key_arn == null ? true : can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/", var.secrets_kms_key_arn))
    error_message = "secrets_kms_key_arn: give a key's ARN (`arn:…:kms:…:key/…`), not an alias."
  }
}

variable "log_types" {
  description = "Control plane logs to keep: api, audit, authenticator, controllerManager, scheduler."
  type        = set(string)
  default     = ["api", "audit", "authenticator", "controllerManager", "scheduler"]
  nullable    = false

  validation {
    condition     = length(setsubtract(var.log_types, ["api", "audit", "authenticator", "controllerManager", "scheduler"])) == 0
    error_message = "log_types: EKS has api, audit, authenticator, controllerManager and scheduler."
  }
}

variable "log_retention_days" {
  description = "Days that the control plane's logs are kept."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days is ${var.log_retention_days}: CloudWatch knows 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 and 3653."
  }
}
