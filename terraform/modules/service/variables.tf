variable "service" {
  description = "The service's name."
  type        = string
}

variable "stack" {
  description = "What all services share."
  type = object({
    name               = string
    partition          = string
    region             = string
    account            = string
    cluster_arn        = string
    cluster_name       = string
    vpc_id             = string
    cpu_architecture   = string
    key_arn            = string
    log_retention_days = number
  })
}

variable "image" {
  description = "The image to run."
  type        = string
}

variable "repository_arn" {
  description = "The repository that the image may be pulled from."
  type        = string
}

variable "size" {
  description = "CPU units, memory in MiB, and the minimum and maximum number of tasks."
  type = object({
    cpu    = number
    memory = number
    min    = number
    max    = number
  })
}

variable "environment" {
  description = "Settings. A null value is not set."
  type        = map(string)
}

variable "secrets" {
  description = "Settings that are secrets: the ARN of each in Secrets Manager."
  type        = map(string)
  default     = {}
}

variable "statements" {
  description = "What the program may do, beyond consuming its queue."
  type = list(object({
    Sid      = string
    Action   = list(string)
    Resource = list(string)
  }))
}

variable "queue" {
  description = "The queue that it consumes; null for none."
  type = object({
    name             = string
    arn              = string
    dead_letter_name = string
    dead_letter_arn  = string
  })
}

variable "backlog_per_task" {
  description = "How many waiting messages one task may have before another starts: the acceptable latency divided by the time per message."
  type        = number
  default     = 100
}

variable "subnets" {
  description = "Where its tasks run."
  type        = list(string)
}

variable "egress" {
  description = "The TCP ports that it may call, and the network for each. Its subnets decide what it can reach."
  type        = map(string)
  default     = { 443 = "0.0.0.0/0" }
}

variable "port" {
  description = "The port that it listens on; null for none."
  type        = number
  default     = null
}

variable "target_group_arn" {
  description = "The load balancer's target group that its tasks join; none or one."
  type        = list(string)
  default     = []
}

variable "spot_weight" {
  description = "Of 100 tasks, how many run on Spot."
  type        = number
  default     = 0
}

variable "alone" {
  description = "Whether a new task starts only when the old one is gone."
  type        = bool
  default     = false
}
