variable "command" {
  description = "The operator's command. Everything here is named after it."
  type        = string
}

variable "arguments" {
  description = "The command's arguments."
  type        = list(string)
}

variable "purpose" {
  description = "What the task does, as the end of a sentence that begins \"The task that …\"."
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
  description = "The secret with the password for its database login; none or one."
  type        = list(string)
  default     = []
}

variable "statements" {
  description = "What the command may do. If it does not call AWS, it has no role."
  type = list(object({
    Sid      = string
    Action   = list(string)
    Resource = list(string)
  }))
  default = []
}

variable "egress" {
  description = "The TCP ports that it may call, and the network for each. Its subnets decide what it can reach."
  type        = map(string)
}

variable "database" {
  description = "The database's security group, and the port that it listens on."
  type = object({
    security_group_id = string
    port              = number
  })
}
