module "queue" {
  source   = "./modules/queue"
  for_each = local.queues

  name                          = each.value.name
  dead_letter_suffix            = local.topology.dead_letter_suffix
  visibility_timeout_seconds    = each.value.visibility_timeout_seconds
  retention_seconds             = each.value.retention_seconds
  dead_letter_retention_seconds = each.value.dead_letter_retention_seconds
  max_receive_count             = each.value.max_receive_count
  maximum_message_size_bytes    = each.value.maximum_message_size_bytes
  bucket_arn                    = each.value.notification == null ? null : module.bucket.arn
  rule_arn                      = try(aws_cloudwatch_event_rule.consumer[each.key].arn, null)
  account                       = local.account
  key_arn                       = local.key_arn
}

locals {
  # The queue that each service consumes. A service may have none.
  consumed = { for role, queue in local.queues : queue.service => module.queue[role].queue }

  queue_urls = { for role in keys(local.queues) : role => module.queue[role].queue.url }

  # The same, by the names of the programs' variables: RAW_QUEUE_URL.
  queue_variables = { for role, url in local.queue_urls : "${upper(role)}_QUEUE_URL" => url }

  # The queue to which every service sends its alerts.
  alerts_queues = [for role in keys(local.queues) : module.queue[role].queue.arn if role == "alerts"]
}

# All notifications of the bucket are in one resource: a second one would overwrite the first. The queues' policies come first,
# because S3 sends each queue a test message before it accepts the configuration.
resource "aws_s3_bucket_notification" "this" {
  bucket      = module.bucket.name
  eventbridge = length(local.consumers) > 0

  dynamic "queue" {
    for_each = { for role, queue in local.queues : role => queue.notification if queue.notification != null }

    content {
      id            = queue.key
      queue_arn     = module.queue[queue.key].queue.arn
      events        = queue.value.events
      filter_prefix = queue.value.prefix
    }
  }

  depends_on = [module.queue]
}
