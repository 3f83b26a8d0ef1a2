# The one task that has the owner's password: it brings the schema to the program's version, and makes the users that log in
# with IAM. It is run by hand or by a release, before the services are; output migrate_command says how.

# What the tasks of the operator's image have in common: this one, and that of reconcile.tf.
locals {
  assumed_by_tasks = {
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
    }]
  }

  pull_operator_image = [
    { Sid = "LogIn", Effect = "Allow", Action = ["ecr:GetAuthorizationToken"], Resource = ["*"] },
    {
      Sid      = "PullImage"
      Effect   = "Allow"
      Action   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
      Resource = [aws_ecr_repository.this["candlewick"].arn]
    },
  ]

  write_logs = { Sid = "WriteLogs", Effect = "Allow", Action = ["logs:CreateLogStream", "logs:PutLogEvents"] }
}

resource "aws_security_group" "migrate" {
  #checkov:skip=CKV2_AWS_5:It is named when the task is run, by output migrate_command
  name        = "${local.name}-migrate"
  description = "The task that migrates the database"
  vpc_id      = module.network.vpc_id
  tags        = { Name = "${local.name}-migrate" }
}

resource "aws_vpc_security_group_egress_rule" "migrate" {
  for_each = { tls = 443, database = local.database_port }

  security_group_id = aws_security_group.migrate.id
  description       = "To ${each.key}"
  cidr_ipv4         = each.key == "tls" ? "0.0.0.0/0" : var.cidr
  ip_protocol       = "tcp"
  from_port         = each.value
  to_port           = each.value
}

resource "aws_cloudwatch_log_group" "migrate" {
  #checkov:skip=CKV_AWS_338:How long logs are kept is the user's choice, a year unless they say otherwise
  name              = "/${local.name}/migrate"
  retention_in_days = var.log_retention_days
  kms_key_id        = local.key_arn
}

resource "aws_iam_role" "migrate" {
  name               = "${local.name}-migrate-execution"
  description        = "Starts the task that migrates the database"
  assume_role_policy = jsonencode(local.assumed_by_tasks)
}

resource "aws_iam_role_policy" "migrate" {
  name = "start-migrate"
  role = aws_iam_role.migrate.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(local.pull_operator_image, [
      merge(local.write_logs, { Resource = ["${aws_cloudwatch_log_group.migrate.arn}:*"] }),
      {
        Sid      = "ReadPassword"
        Effect   = "Allow"
        Action   = ["secretsmanager:GetSecretValue"]
        Resource = [module.database.owner_secret_arn]
      },
    ])
  })
}

resource "aws_ecs_task_definition" "migrate" {
  family                   = "${local.name}-migrate"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = 256
  memory                   = 512
  execution_role_arn       = aws_iam_role.migrate.arn

  container_definitions = jsonencode([{
    name      = "migrate"
    image     = local.images["candlewick"]
    command   = concat(["migrate"], [for service, user in local.database_users : "--iam-user=${join("=", compact([user, lookup(local.database_groups, service, "")]))}"])
    essential = true
    environment = [
      { name = "DATABASE_URL", value = "postgres://${module.database.owner}@${local.database_address}" }
    ]
    # The password changes every week. The task reads it when it starts, and lives for seconds.
    secrets = [{ name = "PGPASSWORD", valueFrom = "${module.database.owner_secret_arn}:password::" }]

    user                   = "65532:65532"
    readonlyRootFilesystem = true
    linuxParameters        = { initProcessEnabled = true, capabilities = { drop = ["ALL"] } }
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.migrate.name
        awslogs-region        = local.region
        awslogs-stream-prefix = "migrate"
      }
    }
  }])

  runtime_platform {
    cpu_architecture        = var.cpu_architecture
    operating_system_family = "LINUX"
  }

  # So that this one resource, applied alone before anything else is, brings all that the task needs.
  depends_on = [
    aws_ecs_cluster_capacity_providers.this,
    aws_iam_role_policy.migrate,
    aws_vpc_security_group_egress_rule.migrate,
    aws_vpc_security_group_ingress_rule.database,
    module.network,
  ]
}
