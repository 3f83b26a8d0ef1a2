variable "name" {
  description = "The stack's name."
  type        = string
}

variable "partition" {
  description = "The partition of AWS: aws, aws-cn or aws-us-gov."
  type        = string
}

variable "region" {
  description = "The region."
  type        = string
}

variable "account" {
  description = "The account."
  type        = string
}

variable "cidr" {
  description = "The network's addresses."
  type        = string
}

variable "availability_zones" {
  description = "In how many zones it is."
  type        = number
}

variable "nat_per_zone" {
  description = "Whether each zone has a NAT gateway of its own."
  type        = bool
}

variable "interface_endpoints" {
  description = "Whether AWS's services are reached by endpoints."
  type        = bool
}

variable "bucket_arn" {
  description = "The one bucket that can be reached through the endpoint of S3."
  type        = string
}

variable "key_arn" {
  description = "The key that encrypts logs; null for CloudWatch's own."
  type        = string
}

variable "log_retention_days" {
  description = "How long logs are kept."
  type        = number
}
