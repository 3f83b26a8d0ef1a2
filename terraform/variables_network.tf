variable "cidr" {
  description = "The network's addresses."
  type        = string
  default     = "10.42.0.0/16"

  validation {
    condition     = can(cidrnetmask(var.cidr)) && try(tonumber(split("/", var.cidr)[1]) <= 20, false)
    error_message = "cidr is an IPv4 network of /20 or larger."
  }
}

variable "availability_zones" {
  description = "The number of the network's zones. RDS needs at least two."
  type        = number
  default     = 2

  validation {
    condition     = var.availability_zones >= 2 && var.availability_zones <= 4
    error_message = "availability_zones is from 2 to 4."
  }
}

variable "nat_per_zone" {
  description = "Whether each zone has its own NAT gateway (33 USD a month each), or all share one."
  type        = bool
  default     = false
}

variable "interface_endpoints" {
  description = "Whether AWS services are reached through endpoints (7 USD a month for each of five in each zone). Then only ingest and the notifier can reach the internet; without endpoints all tasks share the NAT gateway."
  type        = bool
  default     = true
}

variable "database" {
  description = "The database's server: class, storage in GiB and its limit, whether it has a standby in a second zone, days of backups, and whether it is protected against deletion."
  type = object({
    engine_version      = optional(string, "17")
    instance_class      = optional(string, "db.t4g.micro")
    storage_gib         = optional(number, 20)
    storage_limit_gib   = optional(number, 100)
    multi_az            = optional(bool, true)
    backup_days         = optional(number, 14)
    deletion_protection = optional(bool, true)
    enhanced_monitoring = optional(bool, true)
  })
  default = {}

  validation {
    condition     = var.database.backup_days >= 7 && var.database.backup_days <= 35
    error_message = "database.backup_days is from 7 to 35: less leaves no week to restore from."
  }

  validation {
    condition     = var.database.storage_gib >= 20 && var.database.storage_limit_gib > var.database.storage_gib
    error_message = "database.storage_gib is at least 20, and storage_limit_gib is more."
  }

  validation {
    condition     = can(regex("^db\\.", var.database.instance_class))
    error_message = "database.instance_class is a class of RDS, such as db.t4g.small."
  }
}
