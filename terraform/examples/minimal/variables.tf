variable "region" {
  description = "Where the stack runs."
  type        = string
  default     = "us-east-1"
}

variable "image_tag" {
  description = "The images' tag, as you pushed them."
  type        = string
}

variable "alert_emails" {
  description = "The e-mail addresses for alarms and alerts."
  type        = set(string)
  default     = []
}

variable "deletion_protection" {
  description = "Set it to false, and apply, before you destroy."
  type        = bool
  default     = true
}
