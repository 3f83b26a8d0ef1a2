# Names, filters and timeouts are in topology.json, which is also built into the programs. Nothing here repeats one.
locals {
  topology = jsondecode(file("${path.module}/../topology.json"))
  prefixes = local.topology.prefixes

  # A prefix allows a second stack (staging-) in the same account and region. Programs get queues by URL, so it does not affect
  # them.
  name = "${var.name_prefix}candlewick"
  queues = merge(
    { for role, queue in local.topology.queues : role => merge(queue, { name = "${var.name_prefix}${queue.name}" }) },
    local.consumer_queues,
  )

  # The watchlist's key in the bucket. No notification has this prefix.
  watchlist_key = "config/watchlist.toml"
  # What a service that reads the watchlist reads: the list, and the owner's calendars next to it.
  watchlist_keys  = [local.watchlist_key, "config/calendars/*"]
  dashboard_keys  = "config/dashboards/*"
  dashboards_path = "${dirname(local.calendars_path)}/dashboards"
  calendars_path  = "${dirname(var.watchlist_path)}/${basename(abspath(dirname(var.watchlist_path))) == "config" ? "" : "config/"}calendars"

  # The prefix of Athena's results, which are deleted after a week.
  athena_prefix = "athena/"

  services = keys(local.topology.services)

  # The setting COLUMNAR.
  columnar = var.columnar ? "on" : "off"
}

data "aws_caller_identity" "current" {}

data "aws_region" "current" {}

data "aws_partition" "current" {}

locals {
  account   = data.aws_caller_identity.current.account_id
  region    = data.aws_region.current.region
  partition = data.aws_partition.current.partition
}
