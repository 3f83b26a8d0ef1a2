variable "region" {
  description = "Where the stack runs."
  type        = string
  default     = "us-east-1"
}

variable "image_tag" {
  description = "The images' tag, as you pushed them."
  type        = string
}

variable "images" {
  description = "The images by digest, if an immutable tag is not strict enough."
  type        = map(string)
  default     = {}
}

variable "watchlist_path" {
  description = "Your watchlist."
  type        = string
}

variable "alert_emails" {
  description = "The e-mail addresses for alarms and alerts."
  type        = set(string)
}

variable "notifier_secrets" {
  description = "More notification channels: HEARTBEAT_URL, ALERT_SLACK_WEBHOOK_URL and so on. You set their values yourself."
  type        = set(string)
  default     = []
}

variable "twelvedata_plan" {
  description = "Your plan at TwelveData."
  type        = string
}

variable "dashboard_certificate_arn" {
  description = "The certificate for the dashboard's name."
  type        = string
}

variable "dashboard_cidrs" {
  description = "Who may reach the dashboard."
  type        = list(string)
}
