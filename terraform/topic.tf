# Collects alarms, alerts and the budget's warnings, and sends them by e-mail.

resource "aws_sns_topic" "alerts" {
  name              = "${local.name}-alerts"
  display_name      = "Candlewick"
  kms_master_key_id = local.key_arn
}

resource "aws_sns_topic_policy" "alerts" {
  arn = aws_sns_topic.alerts.arn
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "Publishers"
        Effect    = "Allow"
        Principal = { Service = ["cloudwatch.amazonaws.com", "events.amazonaws.com", "budgets.amazonaws.com"] }
        Action    = "sns:Publish"
        Resource  = aws_sns_topic.alerts.arn
        Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
      },
      {
        Sid       = "TlsOnly"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sns:Publish"
        Resource  = aws_sns_topic.alerts.arn
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })
}

resource "aws_sns_topic_subscription" "mail" {
  for_each = var.alert_emails

  topic_arn = aws_sns_topic.alerts.arn
  protocol  = "email"
  endpoint  = each.key
}

# Events that no metric shows: a task that ended with an error, and a deployment that was rolled back.
locals {
  ecs_events = {
    task-failed = {
      description = "A task ended with an error"
      pattern = {
        source      = ["aws.ecs"]
        detail-type = ["ECS Task State Change"]
        detail = {
          clusterArn = [aws_ecs_cluster.this.arn]
          lastStatus = ["STOPPED"]
          containers = { exitCode = [{ anything-but = [0] }] }
        }
      }
    }
    task-not-started = {
      description = "A task could not start: its image, a secret or the network"
      pattern = {
        source      = ["aws.ecs"]
        detail-type = ["ECS Task State Change"]
        detail      = { clusterArn = [aws_ecs_cluster.this.arn], lastStatus = ["STOPPED"], stopCode = ["TaskFailedToStart"] }
      }
    }
    deployment-failed = {
      description = "A deployment failed and was rolled back"
      pattern = {
        source      = ["aws.ecs"]
        detail-type = ["ECS Deployment State Change"]
        resources   = [{ prefix = "arn:${local.partition}:ecs:${local.region}:${local.account}:service/${aws_ecs_cluster.this.name}/" }]
        detail      = { eventName = ["SERVICE_DEPLOYMENT_FAILED"] }
      }
    }
  }
}

resource "aws_cloudwatch_event_rule" "ecs" {
  for_each = local.ecs_events

  name          = "${local.name}-${each.key}"
  description   = each.value.description
  event_pattern = jsonencode(each.value.pattern)
}

resource "aws_cloudwatch_event_target" "ecs" {
  for_each = aws_cloudwatch_event_rule.ecs

  rule = each.value.name
  arn  = aws_sns_topic.alerts.arn
}
