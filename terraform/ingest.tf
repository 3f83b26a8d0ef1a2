# Fetches from TwelveData, one message per series, and writes raw objects.
module "ingest" {
  source = "./modules/service"

  service        = "ingest"
  stack          = local.stack
  image          = local.images["ingest"]
  repository_arn = aws_ecr_repository.this["ingest"].arn
  size           = local.sizes["ingest"]
  queue          = lookup(local.consumed, "ingest", null)
  subnets        = module.network.egress_subnets
  egress         = local.egress_to_database
  # Two tasks at once would spend the same credits.
  alone = true

  environment = merge(local.environment, {
    INGEST_QUEUE_URL = local.queue_urls["ingest"]
    WATCHLIST        = local.watchlist_url
    TWELVEDATA_PLAN  = var.twelvedata_plan
    DATABASE_URL     = local.database_urls["ingest"]
    DATABASE_IAM     = "true"
    CONCURRENCY      = local.sizes["ingest"].concurrency
  })
  secrets = { TWELVEDATA_API_KEY = aws_secretsmanager_secret.this["twelvedata-api-key"].arn }

  statements = concat(local.send_alerts, [
    # Stored candles, and the transformed object of a file that was dropped over them.
    {
      Sid      = "ReadKept"
      Action   = ["s3:GetObject"]
      Resource = [for prefix in [local.prefixes.raw, local.prefixes.transformed] : "${module.bucket.arn}/${prefix}*"]
    },
    { Sid = "WriteRaw", Action = ["s3:PutObject"], Resource = ["${module.bucket.arn}/${local.prefixes.raw}*"] },
    { Sid = "ReadWatchlist", Action = ["s3:GetObject"], Resource = [for key in local.watchlist_keys : "${module.bucket.arn}/${key}"] },
    local.list_bucket,
    { Sid = "FanOut", Action = ["sqs:SendMessage"], Resource = [module.queue["ingest"].queue.arn] },
    local.database_statements["ingest"],
  ])
}
