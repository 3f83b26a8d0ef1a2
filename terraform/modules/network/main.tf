# A network in several zones. Each has a public subnet with only a NAT gateway, a subnet with internet access through it (egress),
# and a subnet without internet access (isolated).

data "aws_availability_zones" "available" {
  #checkov:skip=CKV_AWS_394:The first zones by name are taken, and a zone that AWS adds has a later name
  state = "available"
}

locals {
  zones = slice(data.aws_availability_zones.available.names, 0, var.availability_zones)
  # Sixteen equal parts: public subnets use the first four, then egress, then isolated.
  blocks = { for at, tier in ["public", "egress", "isolated"] : tier => {
    for number, zone in local.zones : zone => cidrsubnet(var.cidr, 4, at * 4 + number)
  } }
  nat_zones = toset(var.nat_per_zone ? local.zones : slice(local.zones, 0, 1))
}

resource "aws_vpc" "this" {
  cidr_block           = var.cidr
  enable_dns_support   = true
  enable_dns_hostnames = true
  tags                 = { Name = var.name }
}

# Resources without their own security group can reach nothing.
resource "aws_default_security_group" "this" {
  vpc_id = aws_vpc.this.id
}

resource "aws_subnet" "public" {
  for_each = local.blocks["public"]

  vpc_id                  = aws_vpc.this.id
  availability_zone       = each.key
  cidr_block              = each.value
  map_public_ip_on_launch = false
  tags                    = { Name = "${var.name}-public-${each.key}" }
}

resource "aws_subnet" "egress" {
  for_each = local.blocks["egress"]

  vpc_id            = aws_vpc.this.id
  availability_zone = each.key
  cidr_block        = each.value
  tags              = { Name = "${var.name}-egress-${each.key}" }
}

resource "aws_subnet" "isolated" {
  for_each = local.blocks["isolated"]

  vpc_id            = aws_vpc.this.id
  availability_zone = each.key
  cidr_block        = each.value
  tags              = { Name = "${var.name}-isolated-${each.key}" }
}
