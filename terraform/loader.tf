# Merges transformed objects into PostgreSQL.
module "loader" {
  source = "./modules/service"

  service        = "loader"
  stack          = local.stack
  image          = local.images["loader"]
  repository_arn = aws_ecr_repository.this["loader"].arn
  size           = local.sizes["loader"]
  spot_weight    = var.spot_weight
  queue          = lookup(local.consumed, "loader", null)
  subnets        = local.inside_subnets
  egress         = local.egress_to_database

  environment = merge(local.environment, {
    TRANSFORMED_QUEUE_URL = local.queue_urls["transformed"]
    DATABASE_URL          = local.database_urls["loader"]
    DATABASE_IAM          = "true"
    CONCURRENCY           = local.sizes["loader"].concurrency
    MEMORY_LIMIT          = "${local.sizes["loader"].memory}MiB"
  })

  statements = concat(local.send_alerts, [
    {
      Sid      = "ReadCleanAndReports"
      Action   = ["s3:GetObject"]
      Resource = [for prefix in [local.prefixes.transformed, local.prefixes.reports] : "${module.bucket.arn}/${prefix}*"]
    },
    local.list_bucket,
    local.database_statements["loader"],
  ])
}
