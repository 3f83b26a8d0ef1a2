# The names, filters and timeouts stand in topology.json, which the programs are built with too. Nothing here repeats one.
locals {
  topology = jsondecode(file("${path.module}/../topology.json"))
  prefixes = local.topology.prefixes

  # A prefix lets a second stack (staging-) live in the same account and region. Programs take queues by URL, so that they
  # do not mind.
  name = "${var.name_prefix}candlewick"
  queues = {
    for role, queue in local.topology.queues : role => merge(queue, { name = "${var.name_prefix}${queue.name}" })
  }

  # Where the watchlist lies in the bucket. No notification has this prefix.
  watchlist_key = "config/watchlist.toml"

  # Where Athena puts what it answers; it goes after a week.
  athena_prefix = "athena/"

  services = keys(local.topology.services)
}

data "aws_caller_identity" "current" {}

data "aws_region" "current" {}

data "aws_partition" "current" {}

locals {
  account   = data.aws_caller_identity.current.account_id
  region    = data.aws_region.current.region
  partition = data.aws_partition.current.partition
}
