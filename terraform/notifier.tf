# Notifies people. Only this service knows the channels.
module "notifier" {
  source = "./modules/service"

  service        = "notifier"
  stack          = local.stack
  image          = local.images["notifier"]
  repository_arn = aws_ecr_repository.this["notifier"].arn
  size           = local.sizes["notifier"]
  queue          = lookup(local.consumed, "notifier", null)
  subnets        = module.network.egress_subnets
  # E-mail uses port 465 or 587.
  egress = merge(local.egress_to_database, { 465 = "0.0.0.0/0", 587 = "0.0.0.0/0" })
  # Two at once could both send the first message.
  alone = true

  # It reads each queue's dead letters.
  environment = merge(local.environment, local.queue_variables, local.own_topology, var.notifier_settings, local.loaded_variables, {
    ALERT_SNS_TOPIC_ARN = aws_sns_topic.alerts.arn
    WATCHLIST           = local.watchlist_url
    DATABASE_URL        = local.database_urls["notifier"]
    DATABASE_IAM        = "true"
    CONCURRENCY         = local.sizes["notifier"].concurrency
  })

  # The address of an alert channel is a secret: it is neither in the state nor in the task definition.
  secrets = { for setting, name in local.notifier_secrets : setting => aws_secretsmanager_secret.this[name].arn }

  statements = concat(local.loaded_statements, [
    { Sid = "PublishAlerts", Action = ["sns:Publish"], Resource = [aws_sns_topic.alerts.arn] },
    {
      Sid      = "CountDeadLetters"
      Action   = ["sqs:GetQueueAttributes"]
      Resource = [for role in keys(local.queues) : module.queue[role].queue.dead_letter_arn]
    },
    { Sid = "ReadWatchlist", Action = ["s3:GetObject"], Resource = [for key in local.watchlist_keys : "${module.bucket.arn}/${key}"] },
    local.list_bucket,
    local.database_statements["notifier"],
  ])
}
