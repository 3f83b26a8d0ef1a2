output "address" {
  description = "The server's host name."
  value       = aws_db_instance.this.address
}

output "database" {
  description = "The database's name."
  value       = aws_db_instance.this.db_name
}

output "owner" {
  description = "The user that owns the schema."
  value       = aws_db_instance.this.username
}

output "owner_secret_arn" {
  description = "The secret with the owner's password, which AWS changes every week."
  value       = aws_db_instance.this.master_user_secret[0].secret_arn
}

output "identifier" {
  description = "The server's name."
  value       = aws_db_instance.this.identifier
}

output "resource_id" {
  description = "The server's resource id, by which IAM policies name it."
  value       = aws_db_instance.this.resource_id
}

output "security_group_id" {
  description = "The group that it is in."
  value       = aws_security_group.this.id
}
