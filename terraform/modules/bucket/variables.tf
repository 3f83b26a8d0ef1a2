variable "name" {
  description = "The bucket's name."
  type        = string
}

variable "raw_prefix" {
  description = "The prefix of raw objects; old ones move to a cheaper class."
  type        = string
}

variable "customer_key" {
  description = "Whether key_arn encrypts. It is separate from key_arn because that is not known before the key exists."
  type        = bool
}

variable "key_arn" {
  description = "The encryption key; null for S3's own."
  type        = string
}

variable "force_destroy" {
  description = "Whether destroy deletes its objects."
  type        = bool
}

variable "answers_prefix" {
  description = "The prefix of Athena's results, which are deleted after a week."
  type        = string
}
