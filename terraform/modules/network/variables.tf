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
  description = "The number of zones."
  type        = number
}

variable "nat_per_zone" {
  description = "Whether each zone has its own NAT gateway."
  type        = bool
}

variable "interface_endpoints" {
  description = "Whether AWS services are reached through endpoints."
  type        = bool
}

variable "bucket_arn" {
  description = "The one bucket that can be reached through the S3 endpoint."
  type        = string
}

variable "key_arn" {
  description = "The encryption key for logs; null for CloudWatch's own."
  type        = string
}

variable "log_retention_days" {
  description = "How long logs are kept."
  type        = number
}
