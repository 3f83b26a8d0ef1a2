resource "aws_ecs_cluster" "this" {
  #checkov:skip=CKV_AWS_65:Container Insights is on unless the user turns it off, as examples/minimal does
  name = local.name

  setting {
    name  = "containerInsights"
    value = var.container_insights
  }
}

resource "aws_ecs_cluster_capacity_providers" "this" {
  cluster_name       = aws_ecs_cluster.this.name
  capacity_providers = ["FARGATE", "FARGATE_SPOT"]

  default_capacity_provider_strategy {
    capacity_provider = "FARGATE"
    weight            = 100
  }
}

locals {
  # What all services share.
  stack = {
    name               = local.name
    partition          = local.partition
    region             = local.region
    account            = local.account
    cluster_arn        = aws_ecs_cluster.this.arn
    cluster_name       = aws_ecs_cluster_capacity_providers.this.cluster_name
    vpc_id             = module.network.vpc_id
    cpu_architecture   = var.cpu_architecture
    key_arn            = local.key_arn
    log_retention_days = var.log_retention_days
  }

  default_sizes = {
    ingest    = { cpu = 256, memory = 512, min = 0, max = 1, concurrency = 4 }
    transform = { cpu = 512, memory = 1024, min = 0, max = 4, concurrency = 6 }
    loader    = { cpu = 256, memory = 512, min = 0, max = 4, concurrency = 6 }
    # It also looks for trouble that no service reports and sends the heartbeat, which a service that waits for a message cannot.
    notifier  = { cpu = 256, memory = 512, min = 1, max = 1, concurrency = 4 }
    dashboard = { cpu = 256, memory = 512, min = 1, max = 1, concurrency = 4 }
  }
  sizes = { for service, size in local.default_sizes : service => {
    for name, value in size : name => coalesce(try(var.sizes[service][name], null), value)
  } }

  # Settings that every service reads.
  environment = {
    AWS_REGION                  = local.region
    BUCKET                      = module.bucket.name
    LOG_FORMAT                  = "json"
    RUST_LOG                    = var.log_filter
    METRICS                     = var.metrics
    OTEL_EXPORTER_OTLP_ENDPOINT = var.otlp_endpoint
    ALERTS_QUEUE_URL            = lookup(local.queue_urls, "alerts", null)
  }
  watchlist_url = "s3://${module.bucket.name}/${local.watchlist_key}"

  # What a service that reads these prefixes may do. Without ListBucket S3 answers "forbidden" for an object that does not exist.
  # It has no condition on the prefix, because reading an object does not send one.
  list_bucket = { Sid = "TellAbsentFromForbidden", Action = ["s3:ListBucket"], Resource = [module.bucket.arn] }

  send_alerts = length(local.alerts_queues) == 0 ? [] : [
    { Sid = "SendAlerts", Action = ["sqs:SendMessage"], Resource = local.alerts_queues }
  ]
}
