# The one task that has the owner's password. It brings the schema to the program's version, and creates the users that log in with
# IAM. Run it by hand or from a release before the services; output migrate_command has the command.
module "migrate" {
  source = "./modules/task"

  command        = "migrate"
  arguments      = [for service, user in local.database_users : "--iam-user=${user}=${local.database_groups[service]}"]
  purpose        = "migrates the database"
  stack          = local.stack
  image          = local.images["candlewick"]
  repository_arn = aws_ecr_repository.this["candlewick"].arn
  egress         = local.egress_to_database
  database       = local.database_access

  environment = { DATABASE_URL = "postgres://${module.database.owner}@${local.database_address}" }
  # The password changes every week. The task reads it when it starts, and runs for seconds.
  password_secret_arn = [module.database.owner_secret_arn]

  # So that this module, applied alone and first, includes everything that the task needs.
  depends_on = [aws_ecs_cluster_capacity_providers.this, module.network]
}
