variable "name" {
  description = "The bucket's name."
  type        = string
}

variable "raw_prefix" {
  description = "Where raw objects lie; old ones move to a cheaper class."
  type        = string
}

variable "customer_key" {
  description = "Whether key_arn encrypts. It stands apart from key_arn because that is not known before the key exists."
  type        = bool
}

variable "key_arn" {
  description = "The key that encrypts; null for S3's own."
  type        = string
}

variable "force_destroy" {
  description = "Whether destroy deletes what is in it."
  type        = bool
}

variable "answers_prefix" {
  description = "Where Athena puts what it answers; it goes after a week."
  type        = string
}
