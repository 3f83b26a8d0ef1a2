locals {
  dashboard_port = 8470
}

# Shows candles, waiting messages and quarantined rows. It consumes no queue, and writes nothing but dashboards that are saved and
# requests of runs, if they are allowed.
module "dashboard" {
  source = "./modules/service"

  service          = "dashboard"
  stack            = local.stack
  image            = local.images["dashboard"]
  repository_arn   = aws_ecr_repository.this["dashboard"].arn
  size             = local.sizes["dashboard"]
  queue            = null
  subnets          = local.inside_subnets
  egress           = local.egress_to_database
  port             = local.dashboard_port
  target_group_arn = [for balancer in module.load_balancer : balancer.target_group_arn]

  environment = merge(local.environment, local.queue_variables, local.own_topology, {
    WATCHLIST        = local.watchlist_url
    DASHBOARD_LISTEN = "0.0.0.0:${local.dashboard_port}"
    # The balancer appends its client's address. Without a balancer, the peer is the client.
    DASHBOARD_TRUSTED_PROXIES = var.dashboard_certificate_arn == null ? "0" : "1"
    DATABASE_URL              = local.database_urls["dashboard"]
    DATABASE_IAM              = "true"
  }, length(var.dashboard_frame_ancestors) > 0 ? { DASHBOARD_FRAME_ANCESTORS = join(" ", var.dashboard_frame_ancestors) } : {})
  secrets = merge(
    { DASHBOARD_TOKEN = aws_secretsmanager_secret.this["dashboard-token"].arn },
    var.dashboard_editing ? { DASHBOARD_EDIT_TOKEN = aws_secretsmanager_secret.this["dashboard-edit-token"].arn } : {},
    var.dashboard_requests_runs ? { DASHBOARD_WRITE_TOKEN = aws_secretsmanager_secret.this["dashboard-write-token"].arn } : {},
  )

  statements = concat([for secret in local.dashboard_write_secrets : {
    Sid      = "RequestRuns"
    Action   = ["sqs:SendMessage"]
    Resource = [module.queue["ingest"].queue.arn]
    }], [
    {
      Sid      = "CountMessages"
      Action   = ["sqs:GetQueueAttributes"]
      Resource = flatten([for role in keys(local.queues) : [module.queue[role].queue.arn, module.queue[role].queue.dead_letter_arn]])
    },
    {
      Sid      = "ShowDeadLetters"
      Action   = ["sqs:ReceiveMessage", "sqs:ChangeMessageVisibility"]
      Resource = [for role in keys(local.queues) : module.queue[role].queue.dead_letter_arn]
    },
    {
      Sid      = "ShowObjects"
      Action   = ["s3:GetObject"]
      Resource = [for key in concat([for prefix in values(local.prefixes) : "${prefix}*"], local.watchlist_keys, [local.dashboard_keys]) : "${module.bucket.arn}/${key}"]
    },
    local.list_bucket,
    local.database_statements["dashboard"],
    ], [for keys in var.dashboard_editing ? [local.dashboard_keys] : [] : {
      Sid      = "SaveDashboards"
      Action   = ["s3:PutObject"]
      Resource = ["${module.bucket.arn}/${keys}"]
  }])
}

module "load_balancer" {
  source = "./modules/load_balancer"
  count  = var.dashboard_certificate_arn == null ? 0 : 1

  name            = "${local.name}-dashboard"
  vpc_id          = module.network.vpc_id
  certificate_arn = var.dashboard_certificate_arn
  cidrs           = var.dashboard_cidrs
  # Addresses that are not in a private network come from the internet.
  internal        = alltrue([for cidr in var.dashboard_cidrs : can(regex("^(10\\.|192\\.168\\.|172\\.(1[6-9]|2[0-9]|3[01])\\.)", cidr))])
  public_subnets  = module.network.public_subnets
  private_subnets = module.network.egress_subnets
  port            = local.dashboard_port
  tasks_group_id  = module.dashboard.security_group_id
  protection      = !var.force_destroy
  oidc            = var.dashboard_oidc
  oidc_secret     = var.dashboard_oidc_client_secret
}

resource "aws_vpc_security_group_ingress_rule" "dashboard" {
  security_group_id            = module.dashboard.security_group_id
  description                  = "From the operator"
  referenced_security_group_id = aws_security_group.operator.id
  ip_protocol                  = "tcp"
  from_port                    = local.dashboard_port
  to_port                      = local.dashboard_port
}
