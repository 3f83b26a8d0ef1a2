# One program as an ECS service: its tasks, where they run, and how a new version takes over.

resource "aws_security_group" "this" {
  name        = "${var.stack.name}-${var.service}"
  description = "Tasks of ${var.service}"
  vpc_id      = var.stack.vpc_id
  tags        = { Name = "${var.stack.name}-${var.service}" }
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

resource "aws_ecs_service" "this" {
  name                   = var.service
  cluster                = var.stack.cluster_arn
  task_definition        = aws_ecs_task_definition.this.arn
  desired_count          = var.size.min
  platform_version       = "LATEST"
  enable_execute_command = false
  propagate_tags         = "SERVICE"
  # Success means that the new version runs. A version that does not is rolled back, and the condition below reports it.
  wait_for_steady_state              = true
  deployment_minimum_healthy_percent = var.alone ? 0 : 100
  deployment_maximum_percent         = var.alone ? 100 : 200
  health_check_grace_period_seconds  = length(var.target_group_arn) == 0 ? null : 30

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  dynamic "capacity_provider_strategy" {
    for_each = { for provider, weight in { FARGATE = 100 - var.spot_weight, FARGATE_SPOT = var.spot_weight } : provider => weight if weight > 0 }

    content {
      capacity_provider = capacity_provider_strategy.key
      weight            = capacity_provider_strategy.value
    }
  }

  network_configuration {
    subnets          = var.subnets
    security_groups  = [aws_security_group.this.id]
    assign_public_ip = false
  }

  dynamic "load_balancer" {
    for_each = var.target_group_arn

    content {
      target_group_arn = load_balancer.value
      container_name   = var.service
      container_port   = var.port
    }
  }

  # A task that starts before its roles are effective fails once, and counts against the deployment.
  depends_on = [aws_iam_role_policy.execution, aws_iam_role_policy.task]

  lifecycle {
    ignore_changes = [desired_count]

    postcondition {
      condition     = self.task_definition == aws_ecs_task_definition.this.arn
      error_message = "The new version did not become stable and was rolled back. Its last logs say why: aws logs tail /${var.stack.name}/${var.service}"
    }
  }

  timeouts {
    create = "15m"
    update = "15m"
  }
}
