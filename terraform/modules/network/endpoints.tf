# Endpoints: S3 always by its gateway, so that reading models costs nothing; other services by choice.

locals {
  s3_endpoint = local.made || length(var.existing == null ? [] : var.existing.route_table_ids) > 0
}

# In China a part of the services has names that begin with `cn.com`. Which does is looked up, not known.
data "aws_vpc_endpoint_service" "interface" {
  for_each = var.interface_endpoints

  service_type = "Interface"

  filter {
    name = "service-name"
    values = [
      "com.amazonaws.${data.aws_region.current.id}.${each.key}",
      "${data.aws_partition.current.reverse_dns_prefix}.${data.aws_region.current.id}.${each.key}",
    ]
  }
}

resource "aws_vpc_endpoint" "s3" {
  count = local.s3_endpoint ? 1 : 0

  vpc_id            = local.vpc_id
  service_name      = "com.amazonaws.${data.aws_region.current.id}.s3"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = local.route_table_ids
  tags              = merge(var.tags, { Name = "${var.name}-s3" })
}

data "aws_vpc" "this" {
  count = !local.made && length(var.interface_endpoints) > 0 ? 1 : 0

  id = local.vpc_id
}

resource "aws_security_group" "endpoints" {
  count = length(var.interface_endpoints) > 0 ? 1 : 0

  name_prefix = "${var.name}-endpoints-"
  description = "Interface endpoints of ${var.name}: HTTPS from the VPC"
  vpc_id      = local.vpc_id
  tags        = merge(var.tags, { Name = "${var.name}-endpoints" })

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "endpoints" {
  count = length(var.interface_endpoints) > 0 ? 1 : 0

  security_group_id = aws_security_group.endpoints[0].id
  description       = "HTTPS from the VPC"
  cidr_ipv4         = local.made ? var.cidr : data.aws_vpc.this[0].cidr_block
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_endpoint" "interface" {
  for_each = var.interface_endpoints

  vpc_id              = local.vpc_id
  service_name        = data.aws_vpc_endpoint_service.interface[each.key].service_name
  vpc_endpoint_type   = "Interface"
  private_dns_enabled = true
  subnet_ids          = local.private_subnet_ids
  security_group_ids  = [aws_security_group.endpoints[0].id]
  tags                = merge(var.tags, { Name = "${var.name}-${each.key}" })
}
