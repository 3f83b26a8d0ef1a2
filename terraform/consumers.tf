# Consumers of your own. S3 notifies one queue of the objects under a prefix, which is that of a service; EventBridge tells everyone
# else. Without a consumer there is nothing here, and the bucket sends EventBridge no events.

locals {
  consumers = merge(local.topology.consumers, { for name, consumer in var.consumers : name => {
    for field, value in consumer : field => value if value != null
  } })

  consumer_queues = { for name, consumer in local.consumers : name => merge(
    local.topology.consumer_queue,
    { for field, value in consumer : field => value if field != "of" },
    { name = "${var.name_prefix}${local.topology.consumer_queue.name_prefix}${name}", service = name, notification = null },
  ) }

  # The programs that look at all queues take the consumers from it, whatever the images were built with.
  own_topology = length(local.consumers) == 0 ? {} : { TOPOLOGY = jsonencode(merge(
    { for part, value in local.topology : part => value if part != "settings" },
    { consumers = local.consumers },
  )) }
}

resource "aws_cloudwatch_event_rule" "consumer" {
  for_each = local.consumers

  name        = local.consumer_queues[each.key].name
  description = "New objects under ${each.value.of} for ${each.key}"
  event_pattern = jsonencode({
    source        = ["aws.s3"]
    "detail-type" = ["Object Created"]
    detail = {
      bucket = { name = [module.bucket.name] }
      object = { key = [{ prefix = each.value.of }] }
    }
  })

  lifecycle {
    precondition {
      condition     = can(regex("^[a-z][a-z0-9_]{0,31}$", each.key)) && !contains(concat(local.services, keys(local.topology.queues)), each.key)
      error_message = "Consumer ${each.key}: a name has 1 to 32 lower-case letters, digits and underscores, begins with a letter, and is not that of a queue or a service."
    }

    precondition {
      condition     = can(regex("^[^/].*/$", each.value.of))
      error_message = "Consumer ${each.key}: `of` is a prefix of keys that ends with a slash."
    }
  }
}

resource "aws_cloudwatch_event_target" "consumer" {
  for_each = local.consumers

  rule      = aws_cloudwatch_event_rule.consumer[each.key].name
  target_id = "queue"
  arn       = module.queue[each.key].queue.arn
}
