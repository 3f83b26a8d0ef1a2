# For a stack that others rely on: a NAT gateway in each zone, endpoints so that only ingest and the notifier reach the
# internet, your own key, a database with a standby, Container Insights, and the dashboard behind TLS. About 299 USD a
# month; docs/deploy.md adds it up.

terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.0"
    }
  }

  # The state has addresses and names, and no secrets. Keep it where two people cannot write it at once:
  # backend "s3" {
  #   bucket       = "YOUR-STATE-BUCKET"
  #   key          = "candlewick/production.tfstate"
  #   region       = "us-east-1"
  #   use_lockfile = true
  # }
}

provider "aws" {
  region = var.region

  default_tags {
    tags = { project = "candlewick", stack = "production" }
  }
}

module "candlewick" {
  source = "../.."

  image_tag                 = var.image_tag
  images                    = var.images
  watchlist_path            = var.watchlist_path
  alert_emails              = var.alert_emails
  notifier_secrets          = var.notifier_secrets
  twelvedata_plan           = var.twelvedata_plan
  nat_per_zone              = true
  monthly_budget_usd        = 400
  dashboard_certificate_arn = var.dashboard_certificate_arn
  dashboard_cidrs           = var.dashboard_cidrs

  sizes = {
    ingest    = { min = 1 }
    transform = { cpu = 1024, memory = 2048, max = 8 }
    loader    = { cpu = 512, memory = 1024, max = 4 }
    dashboard = { min = 2, max = 4 }
  }

  database = {
    instance_class    = "db.t4g.small"
    storage_gib       = 50
    storage_limit_gib = 500
    multi_az          = true
    backup_days       = 14
  }
}
