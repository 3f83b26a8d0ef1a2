output "queue" {
  description = "The queue and its dead-letter queue."
  value = {
    name             = aws_sqs_queue.this.name
    url              = aws_sqs_queue.this.url
    arn              = aws_sqs_queue.this.arn
    dead_letter_name = aws_sqs_queue.dead_letter.name
    dead_letter_url  = aws_sqs_queue.dead_letter.url
    dead_letter_arn  = aws_sqs_queue.dead_letter.arn
  }
}

output "policy" {
  description = "Who may do what to the queue, as JSON."
  value       = aws_sqs_queue_policy.this.policy
}
