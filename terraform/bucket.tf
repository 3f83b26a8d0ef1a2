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

# The dashboards next to the watchlist, if there are any. One that was saved in the browser is uploaded again only if its file changes.
resource "aws_s3_object" "dashboards" {
  for_each = fileset(local.dashboards_path, "*.toml")

  bucket       = module.bucket.name
  key          = "config/dashboards/${each.value}"
  source       = "${local.dashboards_path}/${each.value}"
  source_hash  = filemd5("${local.dashboards_path}/${each.value}")
  content_type = "application/toml"
}

# The owner's calendars next to the watchlist, if there are any.
resource "aws_s3_object" "calendars" {
  for_each = fileset(local.calendars_path, "*.toml")

  bucket       = module.bucket.name
  key          = "config/calendars/${each.value}"
  source       = "${local.calendars_path}/${each.value}"
  source_hash  = filemd5("${local.calendars_path}/${each.value}")
  content_type = "application/toml"
}
