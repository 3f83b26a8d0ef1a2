output "vpc_id" {
  description = "The network."
  value       = aws_vpc.this.id
}

output "public_subnets" {
  description = "Subnets with addresses that the internet can reach."
  value       = [for subnet in aws_subnet.public : subnet.id]
}

output "egress_subnets" {
  description = "Subnets that can reach the internet and cannot be reached from it."
  value       = [for subnet in aws_subnet.egress : subnet.id]
}

output "isolated_subnets" {
  description = "Subnets without internet access."
  value       = [for subnet in aws_subnet.isolated : subnet.id]
}

output "nat_gateways" {
  description = "The NAT gateways, by zone."
  value       = { for zone, gateway in aws_nat_gateway.this : zone => gateway.id }
}

output "interfaces" {
  description = "The AWS services that are reached through endpoints."
  value       = keys(aws_vpc_endpoint.interface)
}
