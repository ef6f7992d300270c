variable "name" {
  description = "Name of what is made here, and of the cluster that the subnets are for: at most 24 characters."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,22}[a-z0-9]$", var.name))
    error_message = "name is `${var.name}`: use 2 to 24 lower-case letters, digits and hyphens; begin with a letter, end with a letter or a digit."
  }
}

variable "existing" {
  description = <<-EOT
    A VPC that exists already; null makes one. `private_subnet_ids` are for nodes and need a way out, by NAT or by interface
    endpoints; they carry one `karpenter.sh/discovery` tag, so two clusters cannot share them. `route_table_ids` are those of these subnets: S3 is reached through a gateway endpoint in them;
    leave them empty if the VPC has that endpoint already.
  EOT
  type = object({
    vpc_id             = string
    private_subnet_ids = list(string)
    route_table_ids    = optional(list(string), [])
  })
  default = null

  validation {
    condition     = var.existing == null ? true : startswith(var.existing.vpc_id, "vpc-")
    error_message = "existing.vpc_id is not the id of a VPC: it begins with `vpc-`."
  }

  validation {
    condition     = var.existing == null ? true : length(distinct(var.existing.private_subnet_ids)) >= 2
    error_message = "existing.private_subnet_ids: EKS needs at least two subnets, in different zones."
  }

  validation {
    condition     = var.existing == null ? true : alltrue([for id in var.existing.private_subnet_ids : startswith(id, "subnet-")])
    error_message = "existing.private_subnet_ids: the id of a subnet begins with `subnet-`."
  }

  validation {
    condition     = var.existing == null ? true : alltrue([for id in var.existing.route_table_ids : startswith(id, "rtb-")])
    error_message = "existing.route_table_ids: the id of a route table begins with `rtb-`."
  }
}

variable "cidr" {
  description = "Addresses of the VPC, /16 to /22: three quarters are for nodes and pods, the rest for NAT gateways. Unused with an existing VPC."
  type        = string
  default     = "10.64.0.0/16"
  nullable    = false

  validation {
    condition     = can(cidrnetmask(var.cidr)) && can(cidrsubnet(var.cidr, 6, 63)) && try(tonumber(split("/", var.cidr)[1]) >= 16 && tonumber(split("/", var.cidr)[1]) <= 22, false)
    error_message = "cidr is `${var.cidr}`: give an IPv4 network between /16 and /22, such as 10.64.0.0/16."
  }

  validation {
    condition     = try(cidrsubnet(var.cidr, 0, 0) == var.cidr, false)
    error_message = "cidr is `${var.cidr}`: bits are set behind its prefix; give the network's first address."
  }
}

variable "zones" {
  description = <<-EOT
    Availability zones by name, 2 or 3, such as those that have your GPUs; null takes the first `zone_count` of the region.
    Name them in production: subnets move when the region's list changes.
  EOT
  type        = list(string)
  default     = null

  validation {
    condition     = var.zones == null ? true : length(var.zones) == length(distinct(var.zones)) && contains([2, 3], length(var.zones))
    error_message = "zones: name 2 or 3 different ones."
  }
}

variable "zone_count" {
  description = "How many zones, where `zones` does not name them: 2 or 3."
  type        = number
  default     = 3
  nullable    = false

  validation {
    condition     = contains([2, 3], var.zone_count)
    error_message = "zone_count is ${var.zone_count}: use 2 or 3."
  }
}

variable "excluded_zone_ids" {
  description = "Zones (by id, not by name) that are never taken. The defaults are those in which EKS places no control plane."
  type        = list(string)
  default     = ["use1-az3", "usw1-az2", "cac1-az3"]
  nullable    = false
}

variable "nat_gateways" {
  description = "`single`: one NAT gateway for all zones (cheaper; a zone's outage cuts the others off). `per_zone`: one in each."
  type        = string
  default     = "single"
  nullable    = false

  validation {
    condition     = contains(["single", "per_zone"], var.nat_gateways)
    error_message = "nat_gateways is `${var.nat_gateways}`: use `single` or `per_zone`."
  }
}

variable "interface_endpoints" {
  description = <<-EOT
    AWS services that nodes reach without NAT: any of ec2, ecr.api, ecr.dkr, eks, eks-auth, kms, logs, sns, sqs, ssm,
    ssmmessages, ec2messages, sts, xray, monitoring. Each costs by the hour and zone; `ecr.api` and `ecr.dkr` go together.
  EOT
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition = alltrue([for service in var.interface_endpoints : contains([
      "ec2", "ec2messages", "ecr.api", "ecr.dkr", "eks", "eks-auth", "kms", "logs", "monitoring", "sns", "sqs", "ssm", "ssmmessages", "sts", "xray",
    ], service)])
    error_message = "interface_endpoints: ${join(", ", var.interface_endpoints)} names a service that nothing here calls; see the variable's description. S3 needs none: it has a gateway endpoint."
  }

  validation {
    condition     = contains(var.interface_endpoints, "ecr.api") == contains(var.interface_endpoints, "ecr.dkr")
    error_message = "interface_endpoints: `ecr.api` and `ecr.dkr` are needed together: a pull calls both."
  }
}

variable "flow_log_retention_days" {
  description = "Days that the VPC's flow log is kept in CloudWatch; null makes no flow log. Unused with an existing VPC."
  type        = number
  default     = null

  validation {
    condition = var.flow_log_retention_days == null ? true : contains(
      [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.flow_log_retention_days
    )
    error_message = "flow_log_retention_days: CloudWatch knows 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 and 3653."
  }
}

variable "tags" {
  description = "Tags of everything made here."
  type        = map(string)
  default     = {}
  nullable    = false
}
