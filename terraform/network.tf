module "network" {
  source = "./modules/network"

  name                = local.name
  partition           = local.partition
  region              = local.region
  account             = local.account
  cidr                = var.cidr
  availability_zones  = var.availability_zones
  nat_per_zone        = var.nat_per_zone
  interface_endpoints = var.interface_endpoints
  bucket_arn          = module.bucket.arn
  key_arn             = local.key_arn
  log_retention_days  = var.log_retention_days
}

locals {
  # Ingest calls TwelveData, and the notifier calls its channels. With endpoints the others need no internet access and have none.
  inside_subnets = var.interface_endpoints ? module.network.isolated_subnets : module.network.egress_subnets
}

# For operators inside the network, such as a CloudShell.
resource "aws_security_group" "operator" {
  #checkov:skip=CKV2_AWS_5:A CloudShell is put into it by hand, by output operator_network
  name        = "${local.name}-operator"
  description = "Operators inside the network"
  vpc_id      = module.network.vpc_id
  tags        = { Name = "${local.name}-operator" }
}

resource "aws_vpc_security_group_egress_rule" "operator" {
  for_each = { tls = 443, dashboard = local.dashboard_port, database = local.database_port }

  security_group_id = aws_security_group.operator.id
  description       = "To ${each.key}"
  cidr_ipv4         = each.key == "tls" ? "0.0.0.0/0" : var.cidr
  ip_protocol       = "tcp"
  from_port         = each.value
  to_port           = each.value
}
