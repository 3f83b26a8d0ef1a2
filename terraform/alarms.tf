# Every alarm says what it means and what to do next. Queues stop sending metrics when they are idle, so that silence is no
# alarm there; where silence is the trouble, it is one.

locals {
  queue_alarms = merge(
    { for role, queue in local.queues : "${role}-dead-letters" => {
      description = "Messages stand in the dead-letter queue of ${role}. `candlewick dlq list` shows each with its reason, and sends it back."
      metric      = "ApproximateNumberOfMessagesVisible"
      queue       = module.queue[role].queue.dead_letter_name
      threshold   = 1
      minutes     = 1
    } },
    { for role, queue in local.queues : "${role}-late" => {
      description = "The oldest message of ${role} has waited two hours: ${queue.service} does not run, or cannot reach what it needs. Its logs say which."
      metric      = "ApproximateAgeOfOldestMessage"
      queue       = queue.name
      threshold   = 7200
      minutes     = 15
    } if role != "ingest" },
    {
      # Ingest may wait a day for credits, and its messages with it.
      ingest-late = {
        description = "The oldest message of ingest has waited a day and a half: longer than a day's credits can hold it up."
        metric      = "ApproximateAgeOfOldestMessage"
        queue       = local.queues["ingest"].name
        threshold   = 129600
        minutes     = 15
      }
      schedule-dead-letters = {
        description = "Scheduler could not put its message into the ingest queue for a day, or run the task that reconciles for an hour. The letter says which; by hand: candlewick refresh, candlewick reconcile."
        metric      = "ApproximateNumberOfMessagesVisible"
        queue       = aws_sqs_queue.schedule_dead_letters.name
        threshold   = 1
        minutes     = 1
      }
    },
    { for role, queue in local.queues : "${role}-dead-letters-expire" => {
      description = "A dead letter of ${role} is a day from the end of what its queue keeps. Send it back or settle it now."
      metric      = "ApproximateAgeOfOldestMessage"
      queue       = module.queue[role].queue.dead_letter_name
      threshold   = queue.dead_letter_retention_seconds - 86400
      minutes     = 15
    } },
  )
}

resource "aws_cloudwatch_metric_alarm" "queue" {
  for_each = local.queue_alarms

  alarm_name          = "${local.name}-${each.key}"
  alarm_description   = each.value.description
  namespace           = "AWS/SQS"
  metric_name         = each.value.metric
  dimensions          = { QueueName = each.value.queue }
  statistic           = "Maximum"
  period              = each.value.minutes * 60
  evaluation_periods  = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = each.value.threshold
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alerts.arn]
  ok_actions          = [aws_sns_topic.alerts.arn]
}

# The dead man's switch. Where nothing was settled there is no number at all, and that is the alarm.
resource "aws_cloudwatch_metric_alarm" "nothing_fetched" {
  alarm_name          = "${local.name}-nothing-fetched"
  alarm_description   = "No message of the ingest queue was settled for ${var.fetch_late_after_hours} hours: no run took place, or ingest settles nothing. Look at the schedule, the queue and ingest's logs, in this order."
  namespace           = "AWS/SQS"
  metric_name         = "NumberOfMessagesDeleted"
  dimensions          = { QueueName = local.queues["ingest"].name }
  statistic           = "Sum"
  period              = 3600
  evaluation_periods  = var.fetch_late_after_hours
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  treat_missing_data  = "breaching"
  alarm_actions       = [aws_sns_topic.alerts.arn]
  ok_actions          = [aws_sns_topic.alerts.arn]
}

resource "aws_cloudwatch_metric_alarm" "schedule" {
  for_each = toset(["TargetErrorCount", "InvocationDroppedCount"])

  alarm_name          = "${local.name}-schedule-${each.key == "TargetErrorCount" ? "errors" : "dropped"}"
  alarm_description   = "Scheduler cannot reach the ingest queue, or cannot run the task that reconciles: its role, the queue's key, or SQS and ECS themselves."
  namespace           = "AWS/Scheduler"
  metric_name         = each.key
  dimensions          = { ScheduleGroup = aws_scheduler_schedule_group.this.name }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alerts.arn]
  ok_actions          = [aws_sns_topic.alerts.arn]
}

# Fewer tasks than wanted. Only Container Insights knows both numbers.
resource "aws_cloudwatch_metric_alarm" "missing_tasks" {
  for_each = var.container_insights == "disabled" ? toset([]) : toset(local.services)

  alarm_name          = "${local.name}-${each.key}-missing-tasks"
  alarm_description   = "Fewer tasks of ${each.key} run than are wanted, for a quarter of an hour. The service's events and its logs say why."
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  evaluation_periods  = 15
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alerts.arn]
  ok_actions          = [aws_sns_topic.alerts.arn]

  metric_query {
    id          = "missing"
    label       = "Tasks that are missing"
    expression  = "desired - running"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = { desired = "DesiredTaskCount", running = "RunningTaskCount" }

    content {
      id = metric_query.key

      metric {
        namespace   = "ECS/ContainerInsights"
        metric_name = metric_query.value
        stat        = "Maximum"
        period      = 60
        dimensions  = { ClusterName = aws_ecs_cluster.this.name, ServiceName = each.key }
      }
    }
  }
}
