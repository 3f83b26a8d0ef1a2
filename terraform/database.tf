locals {
  database_port = 5432

  # Which program logs in with IAM as which user. `candlewick migrate` creates the users.
  database_services = concat([for name, service in local.topology.services : name if service.database], ["reconcile"])
  database_users    = { for service in local.database_services : service => "candlewick_${service}" }

  # The role in the schema whose rights each user has, and no others (shared/migrations).
  database_groups = {
    ingest    = "ingest_service"
    loader    = "loader_service"
    notifier  = "notifier_service"
    dashboard = "dashboard_readonly"
    reconcile = "dashboard_readonly"
  }

  # The images contain RDS's certificates, and a server with another certificate is refused.
  database_address = "${module.database.address}:${local.database_port}/${module.database.database}?sslmode=verify-full&sslrootcert=${local.certificates_path}"
  database_urls    = { for service, user in local.database_users : service => "postgres://${user}@${local.database_address}" }

  egress_to_database = { 443 = "0.0.0.0/0", (tostring(local.database_port)) = var.cidr }

  certificates_path = "/etc/ssl/certs/rds-global-bundle.pem"

  database_statements = { for service, user in local.database_users : service => {
    Sid      = "LogInToDatabase"
    Action   = ["rds-db:connect"]
    Resource = ["arn:${local.partition}:rds-db:${local.region}:${local.account}:dbuser:${module.database.resource_id}/${user}"]
  } }
}

module "database" {
  source = "./modules/database"

  name               = local.name
  partition          = local.partition
  server             = var.database
  vpc_id             = module.network.vpc_id
  subnets            = module.network.isolated_subnets
  port               = local.database_port
  key_arn            = local.key_arn
  log_retention_days = var.log_retention_days
  force_destroy      = var.force_destroy
}

locals {
  # What a task of the operator's image needs to open its own access (modules/task).
  database_access = { security_group_id = module.database.security_group_id, port = local.database_port }

  # All other services.
  database_clients = {
    ingest    = module.ingest.security_group_id
    loader    = module.loader.security_group_id
    notifier  = module.notifier.security_group_id
    dashboard = module.dashboard.security_group_id
    operator  = aws_security_group.operator.id
  }
}

resource "aws_vpc_security_group_ingress_rule" "database" {
  for_each = local.database_clients

  security_group_id            = module.database.security_group_id
  description                  = "From ${each.key}"
  referenced_security_group_id = each.value
  ip_protocol                  = "tcp"
  from_port                    = local.database_port
  to_port                      = local.database_port
}
