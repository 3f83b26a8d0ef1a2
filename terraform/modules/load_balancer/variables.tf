variable "name" {
  description = "The load balancer's name."
  type        = string
}

variable "vpc_id" {
  description = "The network."
  type        = string
}

variable "certificate_arn" {
  description = "The certificate that it shows."
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
  description = "Where it stands when it is not internal."
  type        = list(string)
}

variable "private_subnets" {
  description = "Where it stands when it is internal."
  type        = list(string)
}

variable "port" {
  description = "Where the tasks listen."
  type        = number
}

variable "tasks_group_id" {
  description = "The group that the tasks are in."
  type        = string
}

variable "protection" {
  description = "Whether it refuses to be deleted."
  type        = bool
}

variable "oidc" {
  description = "The OpenID Connect provider that lets visitors in; null for none."
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
