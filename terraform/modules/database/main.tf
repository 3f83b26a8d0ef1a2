# PostgreSQL. Programs log in with IAM. AWS manages the owner's password, and only the migration task gets it.

resource "aws_db_subnet_group" "this" {
  name       = var.name
  subnet_ids = var.subnets
}

resource "aws_db_parameter_group" "this" {
  name_prefix = "${var.name}-"
  family      = "postgres${split(".", var.server.engine_version)[0]}"
  description = "TLS only, and what takes long is logged"

  parameter {
    name  = "rds.force_ssl"
    value = "1"
  }

  parameter {
    name  = "log_min_duration_statement"
    value = "1000"
  }

  parameter {
    name  = "log_statement"
    value = "ddl"
  }

  parameter {
    name         = "idle_in_transaction_session_timeout"
    value        = "600000"
    apply_method = "immediate"
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_security_group" "this" {
  name        = "${var.name}-database"
  description = "The database"
  vpc_id      = var.vpc_id
  tags        = { Name = "${var.name}-database" }
}

resource "aws_cloudwatch_log_group" "this" {
  #checkov:skip=CKV_AWS_338:How long logs are kept is the user's choice, a year unless they say otherwise
  name              = "/aws/rds/instance/${var.name}/postgresql"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.key_arn
}

resource "aws_db_instance" "this" {
  #checkov:skip=CKV_AWS_157:A standby doubles the price; multi_az is on unless the user turns it off, as examples/minimal does
  #checkov:skip=CKV_AWS_293:Protection is on unless the user turns it off, as deleting the stack requires
  #checkov:skip=CKV_AWS_118:Enhanced monitoring is on unless the user turns it off, as examples/minimal does
  identifier     = var.name
  engine         = "postgres"
  engine_version = var.server.engine_version
  instance_class = var.server.instance_class

  storage_type          = "gp3"
  allocated_storage     = var.server.storage_gib
  max_allocated_storage = var.server.storage_limit_gib
  storage_encrypted     = true
  kms_key_id            = var.key_arn

  db_name                             = "candlewick"
  username                            = "candlewick"
  manage_master_user_password         = true
  master_user_secret_kms_key_id       = var.key_arn
  iam_database_authentication_enabled = true
  ca_cert_identifier                  = "rds-ca-rsa2048-g1"
  port                                = var.port

  multi_az               = var.server.multi_az
  publicly_accessible    = false
  db_subnet_group_name   = aws_db_subnet_group.this.name
  vpc_security_group_ids = [aws_security_group.this.id]
  parameter_group_name   = aws_db_parameter_group.this.name

  backup_retention_period     = var.server.backup_days
  backup_window               = "06:00-07:00"
  maintenance_window          = "sun:07:30-sun:08:30"
  auto_minor_version_upgrade  = true
  allow_major_version_upgrade = false
  copy_tags_to_snapshot       = true
  deletion_protection         = var.server.deletion_protection
  skip_final_snapshot         = var.force_destroy
  final_snapshot_identifier   = var.force_destroy ? null : "${var.name}-last"
  delete_automated_backups    = false

  performance_insights_enabled          = true
  performance_insights_kms_key_id       = var.key_arn
  performance_insights_retention_period = 7
  enabled_cloudwatch_logs_exports       = ["postgresql", "upgrade"]
  monitoring_interval                   = var.server.enhanced_monitoring ? 60 : 0
  monitoring_role_arn                   = var.server.enhanced_monitoring ? aws_iam_role.monitoring[0].arn : null

  depends_on = [aws_cloudwatch_log_group.this]
}

resource "aws_iam_role" "monitoring" {
  count = var.server.enhanced_monitoring ? 1 : 0

  name = "${var.name}-database-monitoring"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "monitoring.rds.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy_attachment" "monitoring" {
  count = var.server.enhanced_monitoring ? 1 : 0

  role       = aws_iam_role.monitoring[0].name
  policy_arn = "arn:${var.partition}:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole"
}
