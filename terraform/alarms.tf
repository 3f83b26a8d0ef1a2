# Every alarm says what it means and what to do next. Queues stop sending metrics when they are idle, so missing data is not an alarm
# there. Where silence is the problem, missing data is an alarm.

locals {
  queue_alarms = merge(
    { for role, queue in local.queues : "${role}-dead-letters" => {
      description = "Messages are in the dead-letter queue of ${role}. `candlewick dlq list` shows each with its reason; `candlewick dlq redrive` sends it back."
      metric      = "ApproximateNumberOfMessagesVisible"
      queue       = module.queue[role].queue.dead_letter_name
      threshold   = 1
      minutes     = 1
    } },
    { for role, queue in local.queues : "${role}-late" => {
      description = "The oldest message of ${role} has waited two hours: ${queue.service} does not run, or cannot reach a dependency. Its logs say which."
      metric      = "ApproximateAgeOfOldestMessage"
      queue       = queue.name
      threshold   = 7200
      minutes     = 15
    } if role != "ingest" },
    {
      # Ingest and its messages may wait a day for credits.
      ingest-late = {
        description = "The oldest message of ingest has waited a day and a half: longer than waiting for a day's credits explains."
        metric      = "ApproximateAgeOfOldestMessage"
        queue       = local.queues["ingest"].name
        threshold   = 129600
        minutes     = 15
      }
      schedule-dead-letters = {
        description = "Scheduler could not send its message to the ingest queue for a day, or could not run the reconcile task for an hour. The dead letter says which; by hand: candlewick refresh, candlewick reconcile."
        metric      = "ApproximateNumberOfMessagesVisible"
        queue       = aws_sqs_queue.schedule_dead_letters.name
        threshold   = 1
        minutes     = 1
      }
    },
    { for role, queue in local.queues : "${role}-dead-letters-expire" => {
      description = "A dead letter of ${role} will be deleted by its queue within a day. Send it back or drop it now."
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

# The dead man's switch. If nothing was settled there is no data at all, and that is the alarm.
resource "aws_cloudwatch_metric_alarm" "nothing_fetched" {
  alarm_name          = "${local.name}-nothing-fetched"
  alarm_description   = "No message of the ingest queue was settled for ${var.fetch_late_after_hours} hours: no run took place, or ingest settles nothing. Check the schedule, the queue and ingest's logs, in this order."
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
  alarm_description   = "Scheduler cannot reach the ingest queue, or cannot run the reconcile task: its role, the queue's key, or SQS and ECS themselves."
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

# Fewer tasks than desired. Only Container Insights knows both numbers.
resource "aws_cloudwatch_metric_alarm" "missing_tasks" {
  for_each = var.container_insights == "disabled" ? toset([]) : toset(local.services)

  alarm_name          = "${local.name}-${each.key}-missing-tasks"
  alarm_description   = "Fewer tasks of ${each.key} run than desired, for a quarter of an hour. The service's events and its logs say why."
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
