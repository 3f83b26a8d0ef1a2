output "target_group_arn" {
  description = "The target group that the tasks join. Known once there is a listener."
  value       = one([for action in aws_lb_listener.this.default_action : action.target_group_arn if action.type == "forward"])
}

output "address" {
  description = "Its host name: point your own name at it."
  value       = aws_lb.this.dns_name
}

output "arn_suffix" {
  description = "Its name in metrics."
  value       = aws_lb.this.arn_suffix
}

output "internal" {
  description = "Whether it has no address that the internet can reach."
  value       = aws_lb.this.internal
}

output "asks_who_a_visitor_is" {
  description = "Whether an OpenID Connect provider admits visitors."
  value       = contains(aws_lb_listener.this.default_action[*].type, "authenticate-oidc")
}
