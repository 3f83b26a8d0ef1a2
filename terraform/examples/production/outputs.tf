output "candlewick" {
  description = "Everything that an operator needs."
  value       = module.candlewick
}

output "migrate_command" {
  description = "The command that brings the database to the images' schema."
  value       = module.candlewick.migrate_command
}

# What `candlewick doctor --from-terraform` reads.

output "region" {
  description = "The region."
  value       = module.candlewick.region
}

output "bucket" {
  description = "The bucket."
  value       = module.candlewick.bucket
}

output "queue_urls" {
  description = "Each queue's URL, by role."
  value       = module.candlewick.queue_urls
}

output "dead_letter_queue_urls" {
  description = "Each dead-letter queue's URL, by its queue's role."
  value       = module.candlewick.dead_letter_queue_urls
}

output "alerts_topic_arn" {
  description = "The topic for alarms and alerts."
  value       = module.candlewick.alerts_topic_arn
}

output "database_endpoint" {
  description = "The database's host name and port."
  value       = module.candlewick.database_endpoint
}
