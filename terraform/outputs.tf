# What an operator and `candlewick doctor --from-terraform` need. It contains no secret.

output "region" {
  description = "The region."
  value       = local.region
}

output "account" {
  description = "The account."
  value       = local.account
}

output "bucket" {
  description = "The bucket."
  value       = module.bucket.name
}

output "queues" {
  description = "Each queue and its dead-letter queue, by role."
  value       = { for role in keys(local.queues) : role => module.queue[role].queue }
}

output "queue_urls" {
  description = "Each queue's URL, by role."
  value       = local.queue_urls
}

output "dead_letter_queue_urls" {
  description = "Each dead-letter queue's URL, by its queue's role."
  value       = { for role in keys(local.queues) : role => module.queue[role].queue.dead_letter_url }
}

output "environment" {
  description = "The environment variables with which `candlewick` manages this stack."
  value = merge(
    { AWS_REGION = local.region, BUCKET = module.bucket.name },
    local.queue_variables,
    { ALERT_SNS_TOPIC_ARN = aws_sns_topic.alerts.arn },
    local.own_topology,
  )
}

output "loaded_topic" {
  description = "The topic that receives the events of loads; null without one."
  value       = one(aws_sns_topic.loaded[*].arn)
}

output "services" {
  description = "Each service: its name in ECS, its image and its logs."
  value = { for service, made in {
    ingest    = module.ingest
    transform = module.transform
    loader    = module.loader
    notifier  = module.notifier
    dashboard = module.dashboard
  } : service => { name = made.name, image = local.images[service], log_group = made.log_group } }
}

output "reconcile_log_group" {
  description = "The log group of the reconcile task: what was missing, and how many messages it sent."
  value       = module.reconcile.log_group
}

output "cluster" {
  description = "The ECS cluster."
  value       = aws_ecs_cluster.this.name
}

output "database" {
  description = "The database: where it is, who owns it, and who logs in with IAM."
  value = {
    address          = module.database.address
    port             = local.database_port
    name             = module.database.database
    identifier       = module.database.identifier
    owner            = module.database.owner
    owner_secret_arn = module.database.owner_secret_arn
    users            = local.database_users
  }
}

output "database_endpoint" {
  description = "The database's host name and port."
  value       = "${module.database.address}:${local.database_port}"
}

output "repositories" {
  description = "The image repositories, by name."
  value       = { for name, repository in aws_ecr_repository.this : name => repository.repository_url }
}

output "secrets" {
  description = "The secrets whose values are yours, by name."
  value       = { for name, secret in aws_secretsmanager_secret.this : name => secret.arn }
}

output "alerts_topic_arn" {
  description = "The topic for alarms and alerts."
  value       = aws_sns_topic.alerts.arn
}

output "alarms" {
  description = "Every alarm that notifies somebody."
  value       = local.alarm_arns
}

output "dashboard_address" {
  description = "The load balancer's host name; null without a load balancer."
  value       = one([for balancer in module.load_balancer : balancer.address])
}

output "athena" {
  description = "The Athena workgroup, database and table for queries of clean candles."
  value       = { workgroup = aws_athena_workgroup.this.name, database = aws_glue_catalog_database.this.name, table = aws_glue_catalog_table.candles.name }
}

output "operator_network" {
  description = "The network, subnet and security group for a CloudShell inside the network."
  value = {
    vpc_id            = module.network.vpc_id
    subnet_id         = module.network.egress_subnets[0]
    security_group_id = aws_security_group.operator.id
  }
}

output "migrate_command" {
  description = "The command that brings the database to the images' schema: run it before the services run a new version."
  value = join(" ", [
    "aws ecs run-task --region ${local.region} --cluster ${aws_ecs_cluster.this.name} --launch-type FARGATE",
    "--task-definition ${module.migrate.family}",
    "--network-configuration 'awsvpcConfiguration={subnets=[${join(",", local.inside_subnets)}],securityGroups=[${module.migrate.security_group_id}],assignPublicIp=DISABLED}'",
  ])
}
