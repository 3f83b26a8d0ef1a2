variable "command" {
  description = "The operator's command, which everything here is named after."
  type        = string
}

variable "arguments" {
  description = "What stands behind the command."
  type        = list(string)
}

variable "purpose" {
  description = "What the task does, as \"The task that …\" goes on."
  type        = string
}

variable "stack" {
  description = "What all tasks share."
  type = object({
    name               = string
    region             = string
    account            = string
    vpc_id             = string
    cpu_architecture   = string
    key_arn            = string
    log_retention_days = number
  })
}

variable "image" {
  description = "The operator's image."
  type        = string
}

variable "repository_arn" {
  description = "The repository that the image may be pulled from."
  type        = string
}

variable "environment" {
  description = "Settings."
  type        = map(string)
}

variable "password_secret_arn" {
  description = "The secret with the password that it logs in to the database with; none or one."
  type        = list(string)
  default     = []
}

variable "statements" {
  description = "What the command may do. Where it calls nothing of AWS, it has no role."
  type = list(object({
    Sid      = string
    Action   = list(string)
    Resource = list(string)
  }))
  default = []
}

variable "egress" {
  description = "The TCP ports that it may call, and the network of each. Its subnets decide how far that is."
  type        = map(string)
}

variable "database" {
  description = "The group that the database is in, and the port that it listens at."
  type = object({
    security_group_id = string
    port              = number
  })
}
