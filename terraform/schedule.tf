# Starts runs: EventBridge Scheduler sends one message to the ingest queue, and ingest answers it with one message per series.

locals {
  # Written out, because jsonencode would escape the angle brackets, and Scheduler would not recognize the placeholder.
  refresh = "{\"kind\":\"refresh\",\"scheduled\":\"<aws.scheduler.scheduled-time>\"}"

  assumed_by_scheduler = {
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "scheduler.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
    }]
  }
}

# What Scheduler could neither deliver nor run. Nothing consumes this queue; an alarm reports its messages.
resource "aws_sqs_queue" "schedule_dead_letters" {
  name                      = "${local.name}-schedule${local.topology.dead_letter_suffix}"
  message_retention_seconds = 1209600
  sqs_managed_sse_enabled   = var.customer_key ? null : true
  kms_master_key_id         = local.key_arn
}

resource "aws_sqs_queue_policy" "schedule_dead_letters" {
  queue_url = aws_sqs_queue.schedule_dead_letters.url
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "TlsOnly"
      Effect    = "Deny"
      Principal = "*"
      Action    = "sqs:*"
      Resource  = aws_sqs_queue.schedule_dead_letters.arn
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })
}

resource "aws_iam_role" "scheduler" {
  name               = "${local.name}-scheduler"
  description        = "Puts the message that starts a run into the ingest queue"
  assume_role_policy = jsonencode(local.assumed_by_scheduler)
}

resource "aws_iam_role_policy" "scheduler" {
  name = "send-to-ingest"
  role = aws_iam_role.scheduler.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = ["sqs:SendMessage"]
      Resource = [module.queue["ingest"].queue.arn, aws_sqs_queue.schedule_dead_letters.arn]
    }]
  })
}

resource "aws_scheduler_schedule_group" "this" {
  name = local.name
}

resource "aws_scheduler_schedule" "refresh" {
  #checkov:skip=CKV_AWS_297:A schedule holds an expression and a message of two words, neither of them a secret
  for_each = var.schedules

  name                         = "refresh-${each.key}"
  description                  = "Asks for every series of the watchlist"
  group_name                   = aws_scheduler_schedule_group.this.name
  schedule_expression          = each.value.expression
  schedule_expression_timezone = each.value.timezone

  flexible_time_window {
    mode                      = each.value.flexible_minutes == 0 ? "OFF" : "FLEXIBLE"
    maximum_window_in_minutes = each.value.flexible_minutes == 0 ? null : each.value.flexible_minutes
  }

  target {
    arn      = module.queue["ingest"].queue.arn
    role_arn = aws_iam_role.scheduler.arn
    input    = local.refresh

    retry_policy {
      maximum_event_age_in_seconds = 86400
      maximum_retry_attempts       = 185
    }

    dead_letter_config {
      arn = aws_sqs_queue.schedule_dead_letters.arn
    }
  }
}
