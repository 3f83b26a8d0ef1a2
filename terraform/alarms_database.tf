locals {
  database_alarms = {
    storage = {
      description = "Less than 2 GiB are free, and the storage did not grow by itself: its limit is reached."
      metric      = "FreeStorageSpace"
      statistic   = "Minimum"
      comparison  = "LessThanThreshold"
      threshold   = 2 * 1024 * 1024 * 1024
    }
    processor = {
      description = "The processor is at 90 % for half an hour. Performance Insights shows which statement."
      metric      = "CPUUtilization"
      statistic   = "Average"
      comparison  = "GreaterThanThreshold"
      threshold   = 90
    }
    # The smallest class allows about eighty.
    connections = {
      description = "More than 70 connections are open: lower CONCURRENCY or the number of loader tasks, or choose a larger class."
      metric      = "DatabaseConnections"
      statistic   = "Maximum"
      comparison  = "GreaterThanThreshold"
      threshold   = 70
    }
    credits = {
      description = "A burstable class has used up its processor's credits, and is slow until they return."
      metric      = "CPUCreditBalance"
      statistic   = "Minimum"
      comparison  = "LessThanThreshold"
      threshold   = 10
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "database" {
  for_each = local.database_alarms

  alarm_name          = "${local.name}-database-${each.key}"
  alarm_description   = each.value.description
  namespace           = "AWS/RDS"
  metric_name         = each.value.metric
  dimensions          = { DBInstanceIdentifier = module.database.identifier }
  statistic           = each.value.statistic
  period              = 300
  evaluation_periods  = 6
  comparison_operator = each.value.comparison
  threshold           = each.value.threshold
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alerts.arn]
  ok_actions          = [aws_sns_topic.alerts.arn]
}

# No free ports: connections to TwelveData fail although both ends work.
resource "aws_cloudwatch_metric_alarm" "nat" {
  for_each = module.network.nat_gateways

  alarm_name          = "${local.name}-nat-${each.key}"
  alarm_description   = "The NAT gateway of ${each.key} has no port left for new connections."
  namespace           = "AWS/NATGateway"
  metric_name         = "ErrorPortAllocation"
  dimensions          = { NatGatewayId = each.value }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alerts.arn]
  ok_actions          = [aws_sns_topic.alerts.arn]
}
