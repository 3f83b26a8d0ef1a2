mock_data "aws_caller_identity" {
  defaults = { account_id = "123456789012" }
}

mock_data "aws_region" {
  defaults = { region = "eu-central-1" }
}

mock_data "aws_partition" {
  defaults = { partition = "aws" }
}

mock_data "aws_availability_zones" {
  defaults = { names = ["eu-central-1a", "eu-central-1b", "eu-central-1c"] }
}

mock_resource "aws_db_instance" {
  defaults = {
    address            = "candlewick.example.eu-central-1.rds.amazonaws.com"
    resource_id        = "db-ABCDEFGHIJKL"
    master_user_secret = [{ kms_key_id = "", secret_arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:rds", secret_status = "active" }]
  }
}
