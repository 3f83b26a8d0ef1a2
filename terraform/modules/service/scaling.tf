resource "aws_appautoscaling_target" "this" {
  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = "service/${var.stack.cluster_name}/${aws_ecs_service.this.name}"
  min_capacity       = var.size.min
  max_capacity       = var.size.max
}

# Waiting messages per task. The number of tasks is the number of samples that they sent in a minute, which is free. Without tasks
# there are no samples, and the number is taken to be one.
resource "aws_appautoscaling_policy" "backlog" {
  count = var.queue == null ? 0 : 1

  name               = "${var.stack.name}-${var.service}-backlog"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.this.service_namespace
  scalable_dimension = aws_appautoscaling_target.this.scalable_dimension
  resource_id        = aws_appautoscaling_target.this.resource_id

  target_tracking_scaling_policy_configuration {
    target_value       = var.backlog_per_task
    scale_out_cooldown = 60
    scale_in_cooldown  = 300

    customized_metric_specification {
      metrics {
        id          = "visible"
        return_data = false

        metric_stat {
          stat = "Maximum"

          metric {
            namespace   = "AWS/SQS"
            metric_name = "ApproximateNumberOfMessagesVisible"

            dimensions {
              name  = "QueueName"
              value = var.queue.name
            }
          }
        }
      }

      metrics {
        id          = "tasks"
        return_data = false

        metric_stat {
          stat = "SampleCount"

          metric {
            namespace   = "AWS/ECS"
            metric_name = "CPUUtilization"

            dimensions {
              name  = "ClusterName"
              value = var.stack.cluster_name
            }

            dimensions {
              name  = "ServiceName"
              value = aws_ecs_service.this.name
            }
          }
        }
      }

      metrics {
        id          = "backlog"
        label       = "Waiting messages for each task"
        expression  = "visible / FILL(tasks, 1)"
        return_data = true
      }
    }
  }
}

# Target tracking multiplies, and zero times anything is zero: this policy starts the first task.
resource "aws_appautoscaling_policy" "first_task" {
  count = var.queue == null ? 0 : 1

  name               = "${var.stack.name}-${var.service}-first-task"
  policy_type        = "StepScaling"
  service_namespace  = aws_appautoscaling_target.this.service_namespace
  scalable_dimension = aws_appautoscaling_target.this.scalable_dimension
  resource_id        = aws_appautoscaling_target.this.resource_id

  step_scaling_policy_configuration {
    adjustment_type         = "ChangeInCapacity"
    cooldown                = 120
    metric_aggregation_type = "Maximum"

    step_adjustment {
      metric_interval_lower_bound = 0
      scaling_adjustment          = 1
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "first_task" {
  count = var.queue == null ? 0 : 1

  alarm_name          = "${var.stack.name}-${var.service}-first-task"
  alarm_description   = "Messages wait for ${var.service} and no task runs: one is started. Nobody is notified."
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_appautoscaling_policy.first_task[0].arn]

  metric_query {
    id          = "needed"
    label       = "Whether a first task is needed"
    expression  = "IF(visible > 0 AND FILL(tasks, 0) < 1, 1, 0)"
    return_data = true
  }

  metric_query {
    id = "visible"

    metric {
      namespace   = "AWS/SQS"
      metric_name = "ApproximateNumberOfMessagesVisible"
      stat        = "Maximum"
      period      = 60
      dimensions  = { QueueName = var.queue.name }
    }
  }

  metric_query {
    id = "tasks"

    metric {
      namespace   = "AWS/ECS"
      metric_name = "CPUUtilization"
      stat        = "SampleCount"
      period      = 60
      dimensions  = { ClusterName = var.stack.cluster_name, ServiceName = aws_ecs_service.this.name }
    }
  }
}

# A service without a queue is busy when its processors are.
resource "aws_appautoscaling_policy" "processor" {
  count = var.queue == null ? 1 : 0

  name               = "${var.stack.name}-${var.service}-processor"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.this.service_namespace
  scalable_dimension = aws_appautoscaling_target.this.scalable_dimension
  resource_id        = aws_appautoscaling_target.this.resource_id

  target_tracking_scaling_policy_configuration {
    target_value       = 60
    scale_out_cooldown = 60
    scale_in_cooldown  = 300

    predefined_metric_specification {
      predefined_metric_type = "ECSServiceAverageCPUUtilization"
    }
  }
}
