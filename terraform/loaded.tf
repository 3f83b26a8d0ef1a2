# The events of loads: a topic, and the notifier's right to publish to it and to put events on a bus.

resource "aws_sns_topic" "loaded" {
  count = var.loaded_topic ? 1 : 0

  name              = "${local.name}-loaded"
  kms_master_key_id = local.key_arn
}

resource "aws_sns_topic_policy" "loaded" {
  count = length(aws_sns_topic.loaded)

  arn = aws_sns_topic.loaded[0].arn
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "TlsOnly"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sns:Publish"
        Resource  = aws_sns_topic.loaded[0].arn
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })
}

locals {
  loaded_topics = aws_sns_topic.loaded[*].arn
  loaded_buses  = var.loaded_event_bus == null ? [] : ["arn:${local.partition}:events:${local.region}:${local.account}:event-bus/${var.loaded_event_bus}"]
  loaded_variables = merge(
    { for topic in local.loaded_topics : "LOADED_SNS_TOPIC_ARN" => topic },
    { for bus in local.loaded_buses : "LOADED_EVENT_BUS" => bus },
  )
  loaded_statements = concat(
    [for topic in local.loaded_topics : { Sid = "PublishLoads", Action = ["sns:Publish"], Resource = [topic] }],
    [for bus in local.loaded_buses : { Sid = "PutLoads", Action = ["events:PutEvents"], Resource = [bus] }],
  )
}
