output "name" {
  description = "The ECS service's name."
  value       = aws_ecs_service.this.name
}

output "security_group_id" {
  description = "The security group of its tasks."
  value       = aws_security_group.this.id
}

output "log_group" {
  description = "Where its logs go."
  value       = aws_cloudwatch_log_group.this.name
}

output "task_policy" {
  description = "What the program may do, as JSON."
  value       = aws_iam_role_policy.task.policy
}

output "execution_policy" {
  description = "What starting it may do, as JSON."
  value       = aws_iam_role_policy.execution.policy
}

output "container" {
  description = "The container's definition, as JSON."
  value       = aws_ecs_task_definition.this.container_definitions
}
