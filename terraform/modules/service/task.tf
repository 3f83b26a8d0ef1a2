resource "aws_cloudwatch_log_group" "this" {
  #checkov:skip=CKV_AWS_338:How long logs are kept is the user's choice, a year unless they say otherwise
  name              = "/${var.stack.name}/${var.service}"
  retention_in_days = var.stack.log_retention_days
  kms_key_id        = var.stack.key_arn
}

locals {
  container = {
    name      = var.service
    image     = var.image
    essential = true

    environment = [for name, value in var.environment : { name = name, value = value } if value != null]
    secrets     = [for name, arn in var.secrets : { name = name, valueFrom = arn }]

    # The image has no shell, and its file system is read-only.
    user                   = "65532:65532"
    privileged             = false
    readonlyRootFilesystem = true
    linuxParameters = {
      initProcessEnabled = true
      capabilities       = { drop = ["ALL"] }
    }
    ulimits = [{ name = "nofile", softLimit = 65536, hardLimit = 65536 }]

    portMappings = var.port == null ? [] : [{ containerPort = var.port, protocol = "tcp" }]

    # The program checks itself, because the image has no shell and no other program. ECS replaces tasks that fail this check, so it
    # asks for liveness and not readiness: an outage of S3 or PostgreSQL is no reason to kill all tasks.
    healthCheck = {
      command     = ["CMD", "candlewick-${var.service}", "healthcheck", "--live"]
      interval    = 15
      timeout     = 5
      retries     = 3
      startPeriod = 30
    }

    # The program gets all the time that Fargate allows to finish its work.
    stopTimeout = 120

    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.this.name
        awslogs-region        = var.stack.region
        awslogs-stream-prefix = var.service
        mode                  = "non-blocking"
        max-buffer-size       = "4m"
      }
    }
  }
}

resource "aws_ecs_task_definition" "this" {
  family                   = "${var.stack.name}-${var.service}"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.size.cpu
  memory                   = var.size.memory
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.task.arn
  container_definitions    = jsonencode([local.container])

  runtime_platform {
    cpu_architecture        = var.stack.cpu_architecture
    operating_system_family = "LINUX"
  }
}
