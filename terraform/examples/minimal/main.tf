# The smallest stack that works: one NAT gateway, no endpoints, the smallest database without a standby, everything but the notifier
# scaled to zero between runs. About 64 USD a month; docs/deploy.md adds it up.

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
  #   key          = "candlewick/minimal.tfstate"
  #   region       = "us-east-1"
  #   use_lockfile = true
  # }
}

provider "aws" {
  region = var.region

  default_tags {
    tags = { project = "candlewick", stack = "minimal" }
  }
}

module "candlewick" {
  source = "../.."

  image_tag           = var.image_tag
  watchlist_path      = "${path.module}/../../../watchlist.toml"
  alert_emails        = var.alert_emails
  customer_key        = false
  interface_endpoints = false
  container_insights  = "disabled"
  metrics             = "off"
  log_retention_days  = 30
  monthly_budget_usd  = 90
  # Nobody needs the dashboard all day: start it when you do (docs/deploy.md).
  sizes = { dashboard = { min = 0 } }

  database = {
    instance_class      = "db.t4g.micro"
    multi_az            = false
    backup_days         = 7
    deletion_protection = var.deletion_protection
    enhanced_monitoring = false
  }
  force_destroy = !var.deletion_protection
}
