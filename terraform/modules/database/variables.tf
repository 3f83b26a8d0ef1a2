variable "name" {
  description = "The server's name."
  type        = string
}

variable "partition" {
  description = "The partition of AWS."
  type        = string
}

variable "server" {
  description = "Class, storage, standby, backups."
  type = object({
    engine_version      = string
    instance_class      = string
    storage_gib         = number
    storage_limit_gib   = number
    multi_az            = bool
    backup_days         = number
    deletion_protection = bool
    enhanced_monitoring = bool
  })
}

variable "vpc_id" {
  description = "The network."
  type        = string
}

variable "subnets" {
  description = "Where it runs: at least two zones."
  type        = list(string)
}

variable "port" {
  description = "Where it listens."
  type        = number
}

variable "key_arn" {
  description = "The encryption key; null for AWS's."
  type        = string
}

variable "log_retention_days" {
  description = "How long logs are kept."
  type        = number
}

variable "force_destroy" {
  description = "Whether destroy skips the final snapshot."
  type        = bool
}
