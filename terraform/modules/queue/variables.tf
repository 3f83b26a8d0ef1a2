variable "name" {
  description = "The queue's name."
  type        = string
}

variable "dead_letter_suffix" {
  description = "The suffix that makes the dead-letter queue's name. The programs derive one name from the other."
  type        = string
}

variable "visibility_timeout_seconds" {
  description = "How long a received message stays hidden unless its lease is extended."
  type        = number
}

variable "retention_seconds" {
  description = "How long the queue keeps messages."
  type        = number
}

variable "dead_letter_retention_seconds" {
  description = "How long the dead-letter queue keeps them."
  type        = number

  validation {
    condition     = var.dead_letter_retention_seconds >= var.retention_seconds
    error_message = "dead_letter_retention_seconds must not be less than retention_seconds: letters that the queue itself moves keep their age."
  }
}

variable "max_receive_count" {
  description = "After how many receives the queue itself moves a message to the dead-letter queue."
  type        = number

  validation {
    condition     = var.max_receive_count >= 1 && var.max_receive_count <= 1000
    error_message = "max_receive_count is from 1 to 1000."
  }
}

variable "maximum_message_size_bytes" {
  description = "The largest message the queue takes."
  type        = number
}

variable "bucket_arn" {
  description = "The bucket that publishes to the queue; null for none."
  type        = string
}

variable "rule_arn" {
  description = "The rule of EventBridge that sends to the queue; null for none."
  type        = string
}

variable "account" {
  description = "The account that the bucket and the rule must belong to."
  type        = string
}

variable "key_arn" {
  description = "The encryption key; null for SQS's own."
  type        = string
}
