output "family" {
  description = "The task definition's family."
  value       = aws_ecs_task_definition.this.family
}

output "task_definition_arn" {
  description = "The task definition's current revision."
  value       = aws_ecs_task_definition.this.arn
}

output "security_group_id" {
  description = "The group that it runs in."
  value       = aws_security_group.this.id
}

output "role_arns" {
  description = "The roles that the caller of the task must pass."
  value       = concat([aws_iam_role.execution.arn], aws_iam_role.task[*].arn)
}

output "log_group" {
  description = "Where its logs go."
  value       = aws_cloudwatch_log_group.this.name
}

output "execution_policy" {
  description = "What starting it may do, as JSON."
  value       = aws_iam_role_policy.execution.policy
}

output "task_policy" {
  description = "What the command may do, as JSON; null if it has no role."
  value       = one(aws_iam_role_policy.task[*].policy)
}

output "container" {
  description = "The container's definition, as JSON."
  value       = aws_ecs_task_definition.this.container_definitions
}
