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
  description = "The images by digest, where they are pinned harder than by an immutable tag."
  type        = map(string)
  default     = {}
}

variable "watchlist_path" {
  description = "Your watchlist."
  type        = string
}

variable "alert_emails" {
  description = "Who is mailed when something is wrong."
  type        = set(string)
}

variable "notifier_secrets" {
  description = "What else the notifier knows of ways to you: HEARTBEAT_URL, ALERT_SLACK_WEBHOOK_URL and so on. You put their values yourself."
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
