# One page in CloudWatch: waiting messages, dead letters, running tasks, and the database.

locals {
  dashboard_queues = { for role in keys(local.queues) : role => module.queue[role].queue }

  # The services' own metrics, by stage and by the outcome of each message.
  own_widgets = var.metrics == "off" ? [] : [
    {
      title   = "Handled messages, by outcome"
      metrics = [[{ expression = "SEARCH('{Candlewick,service,stage,outcome} MetricName=\"messaging.process.duration\"', 'SampleCount', 300)" }]]
    },
  ]

  widgets = concat(local.own_widgets, [
    {
      title   = "Waiting messages"
      metrics = [for role, queue in local.dashboard_queues : ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", queue.name, { label = role, stat = "Maximum" }]]
    },
    {
      title   = "Age of the oldest message, in seconds"
      metrics = [for role, queue in local.dashboard_queues : ["AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", queue.name, { label = role, stat = "Maximum" }]]
    },
    {
      title   = "Dead letters"
      metrics = [for role, queue in local.dashboard_queues : ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", queue.dead_letter_name, { label = role, stat = "Maximum" }]]
    },
    {
      title   = "Settled messages"
      metrics = [for role, queue in local.dashboard_queues : ["AWS/SQS", "NumberOfMessagesDeleted", "QueueName", queue.name, { label = role, stat = "Sum" }]]
    },
    {
      title   = "Tasks"
      metrics = [for service in local.services : ["AWS/ECS", "CPUUtilization", "ClusterName", aws_ecs_cluster.this.name, "ServiceName", service, { label = service, stat = "SampleCount", period = 60 }]]
    },
    {
      title   = "Processor, in per cent"
      metrics = [for service in local.services : ["AWS/ECS", "CPUUtilization", "ClusterName", aws_ecs_cluster.this.name, "ServiceName", service, { label = service, stat = "Maximum" }]]
    },
    {
      title   = "Memory, in per cent"
      metrics = [for service in local.services : ["AWS/ECS", "MemoryUtilization", "ClusterName", aws_ecs_cluster.this.name, "ServiceName", service, { label = service, stat = "Maximum" }]]
    },
    {
      title = "Database: processor in per cent, and connections"
      metrics = [
        ["AWS/RDS", "CPUUtilization", "DBInstanceIdentifier", module.database.identifier, { label = "processor", stat = "Average" }],
        ["AWS/RDS", "DatabaseConnections", "DBInstanceIdentifier", module.database.identifier, { label = "connections", stat = "Maximum", yAxis = "right" }],
      ]
    },
  ])

  alarm_arns = concat(
    [for alarm in aws_cloudwatch_metric_alarm.queue : alarm.arn],
    [for alarm in aws_cloudwatch_metric_alarm.database : alarm.arn],
    [for alarm in aws_cloudwatch_metric_alarm.missing_tasks : alarm.arn],
    [for alarm in aws_cloudwatch_metric_alarm.schedule : alarm.arn],
    [for alarm in aws_cloudwatch_metric_alarm.nat : alarm.arn],
    [aws_cloudwatch_metric_alarm.nothing_fetched.arn],
  )
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = local.name
  dashboard_body = jsonencode({
    widgets = concat(
      [{ type = "alarm", x = 0, y = 0, width = 24, height = 4, properties = { title = "Alarms", alarms = local.alarm_arns } }],
      [for at, widget in local.widgets : {
        type   = "metric"
        x      = at % 2 * 12
        y      = 4 + floor(at / 2) * 6
        width  = 12
        height = 6
        properties = {
          title   = widget.title
          region  = local.region
          view    = "timeSeries"
          period  = 300
          metrics = widget.metrics
        }
      }],
    )
  })
}
