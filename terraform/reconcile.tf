# Notifications get lost, and a message that never came wakes nobody. Now and then a task of the operator's image looks for the
# objects that nobody was told of, and tells: `candlewick reconcile`. What one run misses the next one finds.

locals {
  # It reads the ledger alone.
  reconcile_user = local.database_users["reconcile"]

  # Of the queues that hear of objects.
  reconciled_queues = { for role, queue in local.queues : role => module.queue[role].queue if queue.notification != null }

  reconcile_environment = {
    AWS_REGION            = local.region
    BUCKET                = module.bucket.name
    RAW_QUEUE_URL         = local.queue_urls["raw"]
    TRANSFORMED_QUEUE_URL = local.queue_urls["transformed"]
    DATABASE_URL          = local.database_urls["reconcile"]
    DATABASE_IAM          = "true"
  }

  reconcile_statements = [
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
  ]
}

resource "aws_security_group" "reconcile" {
  #checkov:skip=CKV2_AWS_5:It is named by the schedule that runs the task
  name        = "${local.name}-reconcile"
  description = "The task that looks for lost notifications"
  vpc_id      = module.network.vpc_id
  tags        = { Name = "${local.name}-reconcile" }
}

resource "aws_vpc_security_group_egress_rule" "reconcile" {
  for_each = local.egress_to_database

  security_group_id = aws_security_group.reconcile.id
  description       = "To port ${each.key}"
  cidr_ipv4         = each.value
  ip_protocol       = "tcp"
  from_port         = tonumber(each.key)
  to_port           = tonumber(each.key)
}

resource "aws_cloudwatch_log_group" "reconcile" {
  #checkov:skip=CKV_AWS_338:How long logs are kept is the user's choice, a year unless they say otherwise
  name              = "/${local.name}/reconcile"
  retention_in_days = var.log_retention_days
  kms_key_id        = local.key_arn
}

resource "aws_iam_role" "reconcile_execution" {
  name               = "${local.name}-reconcile-execution"
  description        = "Starts the task that looks for lost notifications"
  assume_role_policy = jsonencode(local.assumed_by_tasks)
}

resource "aws_iam_role_policy" "reconcile_execution" {
  name = "start-reconcile"
  role = aws_iam_role.reconcile_execution.id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = concat(local.pull_operator_image, [merge(local.write_logs, { Resource = ["${aws_cloudwatch_log_group.reconcile.arn}:*"] })])
  })
}

resource "aws_iam_role" "reconcile" {
  name               = "${local.name}-reconcile-task"
  description        = "What candlewick reconcile itself calls"
  assume_role_policy = jsonencode(local.assumed_by_tasks)
}

resource "aws_iam_role_policy" "reconcile" {
  name   = "run-reconcile"
  role   = aws_iam_role.reconcile.id
  policy = jsonencode({ Version = "2012-10-17", Statement = [for statement in local.reconcile_statements : merge(statement, { Effect = "Allow" })] })
}

resource "aws_ecs_task_definition" "reconcile" {
  family                   = "${local.name}-reconcile"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = 256
  memory                   = 512
  execution_role_arn       = aws_iam_role.reconcile_execution.arn
  task_role_arn            = aws_iam_role.reconcile.arn

  container_definitions = jsonencode([{
    name        = "reconcile"
    image       = local.images["candlewick"]
    command     = ["reconcile", "--json"]
    essential   = true
    environment = [for name, value in local.reconcile_environment : { name = name, value = value }]

    user                   = "65532:65532"
    readonlyRootFilesystem = true
    linuxParameters        = { initProcessEnabled = true, capabilities = { drop = ["ALL"] } }
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.reconcile.name
        awslogs-region        = local.region
        awslogs-stream-prefix = "reconcile"
      }
    }
  }])

  runtime_platform {
    cpu_architecture        = var.cpu_architecture
    operating_system_family = "LINUX"
  }
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
        Resource  = [aws_ecs_task_definition.reconcile.arn]
        Condition = { ArnEquals = { "ecs:cluster" = aws_ecs_cluster.this.arn } }
      },
      {
        Sid       = "GiveTaskItsRoles"
        Effect    = "Allow"
        Action    = ["iam:PassRole"]
        Resource  = [aws_iam_role.reconcile_execution.arn, aws_iam_role.reconcile.arn]
        Condition = { StringEquals = { "iam:PassedToService" = "ecs-tasks.amazonaws.com" } }
      },
      { Sid = "SendDeadLetters", Effect = "Allow", Action = ["sqs:SendMessage"], Resource = [aws_sqs_queue.schedule_dead_letters.arn] },
    ]
  })
}

resource "aws_scheduler_schedule" "reconcile" {
  #checkov:skip=CKV_AWS_297:A schedule holds an expression and the name of a task, neither of them a secret
  name                = "reconcile"
  description         = "Looks for objects that nobody was told of"
  group_name          = aws_scheduler_schedule_group.this.name
  schedule_expression = var.reconcile_schedule

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = aws_ecs_cluster.this.arn
    role_arn = aws_iam_role.reconcile_schedule.arn

    ecs_parameters {
      task_definition_arn = aws_ecs_task_definition.reconcile.arn
      launch_type         = "FARGATE"
      task_count          = 1

      network_configuration {
        subnets          = local.inside_subnets
        security_groups  = [aws_security_group.reconcile.id]
        assign_public_ip = false
      }
    }

    # Where Fargate has no room for an hour, the next run is as good.
    retry_policy {
      maximum_event_age_in_seconds = 3600
      maximum_retry_attempts       = 20
    }

    dead_letter_config {
      arn = aws_sqs_queue.schedule_dead_letters.arn
    }
  }

  # A task that starts before its roles can act ends with an error, and somebody is told for nothing.
  depends_on = [
    aws_ecs_cluster_capacity_providers.this,
    aws_iam_role_policy.reconcile,
    aws_iam_role_policy.reconcile_execution,
    aws_iam_role_policy.reconcile_schedule,
    aws_vpc_security_group_egress_rule.reconcile,
    aws_vpc_security_group_ingress_rule.database,
  ]
}
