module "bucket" {
  source = "./modules/bucket"

  name           = coalesce(var.bucket_name, "${local.name}-${local.account}-${local.region}")
  raw_prefix     = local.prefixes.raw
  answers_prefix = local.athena_prefix
  customer_key   = var.customer_key
  key_arn        = local.key_arn
  force_destroy  = var.force_destroy
}

resource "aws_s3_object" "watchlist" {
  bucket       = module.bucket.name
  key          = local.watchlist_key
  source       = var.watchlist_path
  source_hash  = filemd5(var.watchlist_path)
  content_type = "application/toml"
}
