# One command of the operator's image as a task that runs once: its roles, its network rules and its access to the database.

resource "aws_security_group" "this" {
  #checkov:skip=CKV2_AWS_5:The caller of the task passes the group: a schedule, or output migrate_command
  name        = "${var.stack.name}-${var.command}"
  description = "The task that ${var.purpose}"
  vpc_id      = var.stack.vpc_id
  tags        = { Name = "${var.stack.name}-${var.command}" }
}

resource "aws_vpc_security_group_egress_rule" "this" {
  for_each = var.egress

  security_group_id = aws_security_group.this.id
  description       = "To port ${each.key}"
  cidr_ipv4         = each.value
  ip_protocol       = "tcp"
  from_port         = tonumber(each.key)
  to_port           = tonumber(each.key)
}

# Here and not with the services' rules, so that the module is complete and can be applied alone.
resource "aws_vpc_security_group_ingress_rule" "database" {
  security_group_id            = var.database.security_group_id
  description                  = "From ${var.command}"
  referenced_security_group_id = aws_security_group.this.id
  ip_protocol                  = "tcp"
  from_port                    = var.database.port
  to_port                      = var.database.port
}

resource "aws_cloudwatch_log_group" "this" {
  #checkov:skip=CKV_AWS_338:How long logs are kept is the user's choice, a year unless they say otherwise
  name              = "/${var.stack.name}/${var.command}"
  retention_in_days = var.stack.log_retention_days
  kms_key_id        = var.stack.key_arn
}

locals {
  assume_by_tasks = {
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = var.stack.account } }
    }]
  }

  execution_statements = concat(
    [
      {
        Sid      = "LogIn"
        Effect   = "Allow"
        Action   = ["ecr:GetAuthorizationToken"]
        Resource = ["*"] # The action supports no other resource.
      },
      {
        Sid      = "PullImage"
        Effect   = "Allow"
        Action   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
        Resource = [var.repository_arn]
      },
      {
        Sid      = "WriteLogs"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = ["${aws_cloudwatch_log_group.this.arn}:*"]
      },
    ],
    [for secret in var.password_secret_arn : {
      Sid      = "ReadPassword"
      Effect   = "Allow"
      Action   = ["secretsmanager:GetSecretValue"]
      Resource = [secret]
    }],
  )
}

resource "aws_iam_role" "execution" {
  name               = "${var.stack.name}-${var.command}-execution"
  description        = "Starts the task that ${var.purpose}"
  assume_role_policy = jsonencode(local.assume_by_tasks)
}

resource "aws_iam_role_policy" "execution" {
  name   = "start-${var.command}"
  role   = aws_iam_role.execution.id
  policy = jsonencode({ Version = "2012-10-17", Statement = local.execution_statements })
}

resource "aws_iam_role" "task" {
  count = length(var.statements) == 0 ? 0 : 1

  name               = "${var.stack.name}-${var.command}-task"
  description        = "What candlewick ${var.command} itself calls"
  assume_role_policy = jsonencode(local.assume_by_tasks)
}

resource "aws_iam_role_policy" "task" {
  count = length(var.statements) == 0 ? 0 : 1

  name   = "run-${var.command}"
  role   = aws_iam_role.task[0].id
  policy = jsonencode({ Version = "2012-10-17", Statement = [for statement in var.statements : merge(statement, { Effect = "Allow" })] })
}

resource "aws_ecs_task_definition" "this" {
  family                   = "${var.stack.name}-${var.command}"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = 256
  memory                   = 512
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = one(aws_iam_role.task[*].arn)

  container_definitions = jsonencode([{
    name        = var.command
    image       = var.image
    command     = concat([var.command], var.arguments)
    essential   = true
    environment = [for name, value in var.environment : { name = name, value = value }]
    secrets     = [for secret in var.password_secret_arn : { name = "PGPASSWORD", valueFrom = "${secret}:password::" }]

    # The image has no shell, and its file system is read-only.
    user                   = "65532:65532"
    readonlyRootFilesystem = true
    linuxParameters        = { initProcessEnabled = true, capabilities = { drop = ["ALL"] } }
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.this.name
        awslogs-region        = var.stack.region
        awslogs-stream-prefix = var.command
      }
    }
  }])

  runtime_platform {
    cpu_architecture        = var.stack.cpu_architecture
    operating_system_family = "LINUX"
  }
}
