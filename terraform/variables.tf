variable "name_prefix" {
  description = "The prefix of every name, such as staging-; empty for the only stack of an account and region."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^([a-z][a-z0-9]{0,10}-)?$", var.name_prefix))
    error_message = "name_prefix is empty, or a lower-case word of at most eleven characters and a hyphen: staging-."
  }
}

variable "bucket_name" {
  description = "The bucket's name, which must be unique in all of AWS; null builds one from the name, the account and the region."
  type        = string
  default     = null

  validation {
    condition     = var.bucket_name == null || can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.bucket_name))
    error_message = "bucket_name has 3 to 63 lower-case letters, digits and hyphens, and no dot (dots break TLS)."
  }
}

variable "force_destroy" {
  description = "Whether destroy may delete a bucket and image repositories that are not empty, and skip the final snapshot of the database."
  type        = bool
  default     = false
}

variable "customer_key" {
  description = "Whether bucket, queues, topic, secrets, logs and database are encrypted with your own key (1 USD a month and 0.03 USD for 10,000 requests). Without it they are encrypted with AWS's keys, and the topic is not."
  type        = bool
  default     = true
}

variable "watchlist_path" {
  description = "The watchlist's file on this machine. It is uploaded to the bucket, where the services read it, with the calendars in config/calendars next to it."
  type        = string

  validation {
    condition     = can(file(var.watchlist_path))
    error_message = "watchlist_path is not a readable file."
  }
}

variable "consumers" {
  description = "Consumers of your own, by name, in addition to those of topology.json: the prefix of the keys of the objects whose events the queue gets, and what differs from consumer_queue there."
  type = map(object({
    of                         = string
    visibility_timeout_seconds = optional(number)
    max_receive_count          = optional(number)
  }))
  default = {}
}

variable "schedules" {
  description = "When series are refreshed: cron or rate expressions of EventBridge Scheduler, and their time zone. No gap between runs may exceed fetch_late_after_hours: by default one run happens every day, also at weekends."
  type = map(object({
    expression = string
    timezone   = optional(string, "America/New_York")
    # Minutes over which Scheduler may spread the start; zero starts on the minute.
    flexible_minutes = optional(number, 0)
  }))
  default = {
    daily = { expression = "cron(30 17 ? * MON-FRI *)" }
    crypto = {
      expression = "cron(15 0 * * ? *)"
      timezone   = "UTC"
    }
  }

  validation {
    condition     = alltrue([for schedule in var.schedules : can(regex("^(cron|rate|at)\\(.+\\)$", schedule.expression))])
    error_message = "A schedule's expression is cron(…), rate(…) or at(…)."
  }

  validation {
    condition     = alltrue([for schedule in var.schedules : schedule.flexible_minutes >= 0 && schedule.flexible_minutes <= 1440])
    error_message = "flexible_minutes is from 0 to 1440."
  }
}

variable "reconcile_schedule" {
  description = "When to look for lost notifications, as an EventBridge Scheduler expression. A loss is repaired at the next run, if it is ten minutes old."
  type        = string
  default     = "rate(1 hour)"

  validation {
    condition     = can(regex("^(cron|rate)\\(.+\\)$", var.reconcile_schedule))
    error_message = "reconcile_schedule is cron(…) or rate(…)."
  }
}

variable "fetch_late_after_hours" {
  description = "After how many hours without a fetched series the owner is notified. It must exceed the longest gap between scheduled runs."
  type        = number
  default     = 26

  validation {
    condition     = var.fetch_late_after_hours >= 1 && var.fetch_late_after_hours <= 168 && floor(var.fetch_late_after_hours) == var.fetch_late_after_hours
    error_message = "fetch_late_after_hours is a whole number from 1 to 168: CloudWatch looks back at most a week."
  }
}

variable "log_retention_days" {
  description = "How long logs are kept. A gigabyte costs 0.50 USD to write and 0.03 USD a month to keep."
  type        = number
  default     = 365

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827], var.log_retention_days)
    error_message = "log_retention_days is one of the periods that CloudWatch Logs knows: 1, 3, 5, 7, 14, 30, 60, 90, … 365, …"
  }
}

variable "alert_emails" {
  description = "The e-mail addresses for alarms, alerts and the budget. Each recipient must first confirm an e-mail from AWS."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for address in var.alert_emails : can(regex("^[^@ ]+@[^@ ]+\\.[^@ ]+$", address))])
    error_message = "alert_emails are e-mail addresses."
  }
}

variable "notifier_secrets" {
  description = "More notification channels and a webhook for the events of loads, by the names of the notifier's settings: HEARTBEAT_URL (an outside monitor such as healthchecks.io that is pinged after every sweep, because nothing inside can report that nothing runs), ALERT_SLACK_WEBHOOK_URL and so on. Each is a secret whose value you set yourself (docs/deploy.md); until it has one, the notifier does not start."
  type        = set(string)
  default     = []

  validation {
    condition = length(setsubtract(var.notifier_secrets, [
      "ALERT_DISCORD_WEBHOOK_URL", "ALERT_PAGERDUTY_ROUTING_KEY", "ALERT_SLACK_WEBHOOK_URL", "ALERT_SMTP_URL",
      "ALERT_TEAMS_WEBHOOK_URL", "ALERT_TELEGRAM_TOKEN", "ALERT_WEBHOOK_URL", "HEARTBEAT_URL",
      "LOADED_WEBHOOK_SECRET", "LOADED_WEBHOOK_URL",
    ])) == 0
    error_message = "notifier_secrets are names of settings of the notifier that are secrets: HEARTBEAT_URL, ALERT_SLACK_WEBHOOK_URL, … (docs/settings.md)."
  }
}

variable "notifier_settings" {
  description = "The channels' settings that are not secrets: ALERT_TELEGRAM_CHAT, ALERT_EMAIL_FROM, ALERT_EMAIL_TO."
  type        = map(string)
  default     = {}

  validation {
    condition     = length(setsubtract(keys(var.notifier_settings), ["ALERT_EMAIL_FROM", "ALERT_EMAIL_TO", "ALERT_TELEGRAM_CHAT"])) == 0
    error_message = "notifier_settings are ALERT_TELEGRAM_CHAT, ALERT_EMAIL_FROM and ALERT_EMAIL_TO; name secrets in notifier_secrets."
  }
}

variable "loaded_topic" {
  description = "Whether to create an SNS topic that receives an event for each load (docs/events.md)."
  type        = bool
  default     = false
}

variable "loaded_event_bus" {
  description = "The name of an EventBridge bus of this account and region that receives an event for each load, for example default. Null sends none."
  type        = string
  default     = null

  validation {
    condition     = var.loaded_event_bus == null || can(regex("^[A-Za-z0-9._-]{1,256}$", var.loaded_event_bus))
    error_message = "loaded_event_bus is the name of a bus, such as default."
  }
}

variable "otlp_endpoint" {
  description = "The address of an OpenTelemetry collector for traces. Null sends none."
  type        = string
  default     = null
}

variable "metrics" {
  description = "Whether the services write their own metrics for CloudWatch (emf), at 0.30 USD a month for each of about forty, or none (off). No alarm needs them."
  type        = string
  default     = "emf"

  validation {
    condition     = contains(["emf", "off"], var.metrics)
    error_message = "metrics is emf or off."
  }
}

variable "monthly_budget_usd" {
  description = "The account's monthly budget; the owner is notified at 80 % and at a forecast of 100 %. Null sets no budget."
  type        = number
  default     = 150

  validation {
    condition     = var.monthly_budget_usd == null || try(var.monthly_budget_usd > 0, false)
    error_message = "monthly_budget_usd is more than zero, or null."
  }
}

variable "athena_symbols" {
  description = "The symbols that Athena searches if a query names none, as in object keys (BTC%2FUSD). If empty, every query must name its symbol: where symbol_key = 'AAPL'."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for symbol in var.athena_symbols : can(regex("^[A-Za-z0-9._%-]+$", symbol))])
    error_message = "athena_symbols are spelled as in object keys: letters, digits, dots, underscores and hyphens, everything else as %XX."
  }
}

variable "columnar" {
  description = "Whether the transform also writes Parquet, which Athena reads. Without it Athena finds nothing new, and each object saves one PUT request."
  type        = bool
  default     = true
}
