# Notifications can get lost, and a message that never came starts nothing. On a schedule, a task of the operator's image finds objects
# without a notification and sends it again: `candlewick reconcile`. The next run finds what one run misses.

locals {
  # The queues that receive events of objects.
  reconciled_queues = { for role, queue in local.queues : role => module.queue[role].queue if queue.notification != null }

  reconcile_environment = merge({ for role, url in local.queue_urls : "ALERTS_QUEUE_URL" => url if role == "alerts" }, {
    AWS_REGION            = local.region
    BUCKET                = module.bucket.name
    RAW_QUEUE_URL         = local.queue_urls["raw"]
    TRANSFORMED_QUEUE_URL = local.queue_urls["transformed"]
    DATABASE_URL          = local.database_urls["reconcile"]
    DATABASE_IAM          = "true"
    COLUMNAR              = local.columnar
  })

  reconcile_statements = concat(local.send_alerts, [
    {
      Sid      = "LookAtObjects"
      Action   = ["s3:GetObject"]
      Resource = [for prefix in [local.prefixes.raw, local.prefixes.transformed] : "${module.bucket.arn}/${prefix}*"]
    },
    local.list_bucket,
    {
      Sid      = "TellAgain"
      Action   = ["sqs:GetQueueAttributes", "sqs:SendMessage"]
      Resource = values(local.reconciled_queues)[*].arn
    },
    {
      Sid      = "LookAtDeadLetters"
      Action   = ["sqs:ReceiveMessage", "sqs:ChangeMessageVisibility"]
      Resource = values(local.reconciled_queues)[*].dead_letter_arn
    },
    local.database_statements["reconcile"],
  ])
}

module "reconcile" {
  source = "./modules/task"

  command        = "reconcile"
  arguments      = ["--json"]
  purpose        = "looks for lost notifications"
  stack          = local.stack
  image          = local.images["candlewick"]
  repository_arn = aws_ecr_repository.this["candlewick"].arn
  egress         = local.egress_to_database
  database       = local.database_access
  environment    = local.reconcile_environment
  statements     = local.reconcile_statements
}

resource "aws_iam_role" "reconcile_schedule" {
  name               = "${local.name}-reconcile-schedule"
  description        = "Runs the task that looks for lost notifications"
  assume_role_policy = jsonencode(local.assumed_by_scheduler)
}

resource "aws_iam_role_policy" "reconcile_schedule" {
  name = "run-reconcile"
  role = aws_iam_role.reconcile_schedule.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "RunTask"
        Effect    = "Allow"
        Action    = ["ecs:RunTask"]
        Resource  = [module.reconcile.task_definition_arn]
        Condition = { ArnEquals = { "ecs:cluster" = aws_ecs_cluster.this.arn } }
      },
      {
        Sid       = "GiveTaskItsRoles"
        Effect    = "Allow"
        Action    = ["iam:PassRole"]
        Resource  = module.reconcile.role_arns
        Condition = { StringEquals = { "iam:PassedToService" = "ecs-tasks.amazonaws.com" } }
      },
      { Sid = "SendDeadLetters", Effect = "Allow", Action = ["sqs:SendMessage"], Resource = [aws_sqs_queue.schedule_dead_letters.arn] },
    ]
  })
}

resource "aws_scheduler_schedule" "reconcile" {
  #checkov:skip=CKV_AWS_297:A schedule holds an expression and the name of a task, neither of them a secret
  name                = "reconcile"
  description         = "Finds objects whose notification was lost"
  group_name          = aws_scheduler_schedule_group.this.name
  schedule_expression = var.reconcile_schedule

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = aws_ecs_cluster.this.arn
    role_arn = aws_iam_role.reconcile_schedule.arn

    ecs_parameters {
      task_definition_arn = module.reconcile.task_definition_arn
      launch_type         = "FARGATE"
      task_count          = 1

      network_configuration {
        subnets          = local.inside_subnets
        security_groups  = [module.reconcile.security_group_id]
        assign_public_ip = false
      }
    }

    # If Fargate has no capacity for an hour, the next run does the same work.
    retry_policy {
      maximum_event_age_in_seconds = 3600
      maximum_retry_attempts       = 20
    }

    dead_letter_config {
      arn = aws_sqs_queue.schedule_dead_letters.arn
    }
  }

  # A task that starts before its roles are effective ends with an error and a false alarm.
  depends_on = [
    aws_ecs_cluster_capacity_providers.this,
    aws_iam_role_policy.reconcile_schedule,
    module.reconcile,
  ]
}
