variable "name" {
  description = "The load balancer's name."
  type        = string
}

variable "vpc_id" {
  description = "The network."
  type        = string
}

variable "certificate_arn" {
  description = "The certificate that it presents."
  type        = string
}

variable "cidrs" {
  description = "Who may reach it."
  type        = list(string)
}

variable "internal" {
  description = "Whether it has no address that the internet can reach."
  type        = bool
}

variable "public_subnets" {
  description = "Its subnets when it is not internal."
  type        = list(string)
}

variable "private_subnets" {
  description = "Its subnets when it is internal."
  type        = list(string)
}

variable "port" {
  description = "The port that the tasks listen on."
  type        = number
}

variable "tasks_group_id" {
  description = "The security group of the tasks."
  type        = string
}

variable "protection" {
  description = "Whether it is protected against deletion."
  type        = bool
}

variable "oidc" {
  description = "The OpenID Connect provider that admits visitors; null for none."
  type = object({
    issuer                 = string
    authorization_endpoint = string
    token_endpoint         = string
    user_info_endpoint     = string
    client_id              = string
    scope                  = string
    session_hours          = number
  })
  default = null
}

variable "oidc_secret" {
  description = "The secret of its client."
  type        = string
  default     = null
  sensitive   = true
}
