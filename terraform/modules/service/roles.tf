# Two roles. The execution role starts the container, and the program never sees it. The task role belongs to the program and has
# only what the program calls.

locals {
  assume_by_tasks = {
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = {
        StringEquals = { "aws:SourceAccount" = var.stack.account }
        ArnLike      = { "aws:SourceArn" = "arn:${var.stack.partition}:ecs:${var.stack.region}:${var.stack.account}:*" }
      }
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
    length(var.secrets) == 0 ? [] : [{
      Sid      = "ReadSecrets"
      Effect   = "Allow"
      Action   = ["secretsmanager:GetSecretValue"]
      Resource = distinct(values(var.secrets))
    }],
  )

  consumer_statements = var.queue == null ? [] : [
    {
      Sid      = "ConsumeQueue"
      Action   = ["sqs:ReceiveMessage", "sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
      Resource = [var.queue.arn]
    },
    {
      # A message that may have killed its consumer is replaced by a copy in its own queue.
      Sid      = "SendDeadLettersAndCopies"
      Action   = ["sqs:SendMessage"]
      Resource = [var.queue.dead_letter_arn, var.queue.arn]
    },
    {
      Sid      = "ProtectFromScaleIn"
      Action   = ["ecs:UpdateTaskProtection"]
      Resource = ["arn:${var.stack.partition}:ecs:${var.stack.region}:${var.stack.account}:task/${var.stack.cluster_name}/*"]
    },
  ]

  task_statements = [
    for statement in concat(local.consumer_statements, var.statements) : merge(statement, { Effect = "Allow" })
  ]
}

resource "aws_iam_role" "execution" {
  name               = "${var.stack.name}-${var.service}-execution"
  description        = "Starts ${var.service}: image, logs, secrets"
  assume_role_policy = jsonencode(local.assume_by_tasks)
}

resource "aws_iam_role_policy" "execution" {
  name   = "start-${var.service}"
  role   = aws_iam_role.execution.id
  policy = jsonencode({ Version = "2012-10-17", Statement = local.execution_statements })
}

resource "aws_iam_role" "task" {
  name               = "${var.stack.name}-${var.service}-task"
  description        = "What ${var.service} itself calls"
  assume_role_policy = jsonencode(local.assume_by_tasks)
}

resource "aws_iam_role_policy" "task" {
  name   = "run-${var.service}"
  role   = aws_iam_role.task.id
  policy = jsonencode({ Version = "2012-10-17", Statement = local.task_statements })
}
