# Cleans raw objects.
module "transform" {
  source = "./modules/service"

  service        = "transform"
  stack          = local.stack
  image          = local.images["transform"]
  repository_arn = aws_ecr_repository.this["transform"].arn
  size           = local.sizes["transform"]
  spot_weight    = var.spot_weight
  queue          = lookup(local.consumed, "transform", null)
  subnets        = local.inside_subnets

  environment = merge(local.environment, {
    RAW_QUEUE_URL = local.queue_urls["raw"]
    WATCHLIST     = local.watchlist_url
    CONCURRENCY   = local.sizes["transform"].concurrency
    MEMORY_LIMIT  = "${local.sizes["transform"].memory}MiB"
    COLUMNAR      = local.columnar
  })

  statements = concat(local.send_alerts, [
    {
      # It also reads what it writes: a write is conditional on the previous object.
      Sid    = "ReadBucketAndWatchlist"
      Action = ["s3:GetObject"]
      Resource = [
        for key in concat([for prefix in values(local.prefixes) : "${prefix}*"], local.watchlist_keys) : "${module.bucket.arn}/${key}"
      ]
    },
    {
      Sid    = "WriteWhatIsMadeOfRawObjects"
      Action = ["s3:PutObject"]
      Resource = [
        for prefix in [local.prefixes.transformed, local.prefixes.reports, local.prefixes.quarantine, local.prefixes.columnar] : "${module.bucket.arn}/${prefix}*"
      ]
    },
    local.list_bucket,
  ])
}
