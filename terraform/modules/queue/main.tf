# A queue, its dead-letter queue, and who may write to it.

resource "aws_sqs_queue" "dead_letter" {
  name                      = "${var.name}${var.dead_letter_suffix}"
  message_retention_seconds = var.dead_letter_retention_seconds
  max_message_size          = var.maximum_message_size_bytes
  # SQS's own encryption if there is no key: S3 cannot publish to a queue under AWS's key for SQS.
  sqs_managed_sse_enabled           = var.key_arn == null ? true : null
  kms_master_key_id                 = var.key_arn
  kms_data_key_reuse_period_seconds = var.key_arn == null ? null : 3600
}

resource "aws_sqs_queue" "this" {
  name                              = var.name
  visibility_timeout_seconds        = var.visibility_timeout_seconds
  message_retention_seconds         = var.retention_seconds
  max_message_size                  = var.maximum_message_size_bytes
  receive_wait_time_seconds         = 20
  sqs_managed_sse_enabled           = var.key_arn == null ? true : null
  kms_master_key_id                 = var.key_arn
  kms_data_key_reuse_period_seconds = var.key_arn == null ? null : 3600
}

resource "aws_sqs_queue_redrive_policy" "this" {
  queue_url = aws_sqs_queue.this.url
  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead_letter.arn
    maxReceiveCount     = var.max_receive_count
  })
}

resource "aws_sqs_queue_redrive_allow_policy" "dead_letter" {
  queue_url = aws_sqs_queue.dead_letter.url
  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [aws_sqs_queue.this.arn]
  })
}

locals {
  tls_only = { for name, queue in { this = aws_sqs_queue.this, dead_letter = aws_sqs_queue.dead_letter } : name => {
    Sid       = "TlsOnly"
    Effect    = "Deny"
    Principal = "*"
    Action    = "sqs:*"
    Resource  = queue.arn
    Condition = { Bool = { "aws:SecureTransport" = "false" } }
  } }

  bucket_publishes = var.bucket_arn == null ? [] : [{
    Sid       = "BucketPublishes"
    Effect    = "Allow"
    Principal = { Service = "s3.amazonaws.com" }
    Action    = "sqs:SendMessage"
    Resource  = aws_sqs_queue.this.arn
    Condition = {
      ArnEquals    = { "aws:SourceArn" = var.bucket_arn }
      StringEquals = { "aws:SourceAccount" = var.account }
    }
  }]

  rule_sends = var.rule_arn == null ? [] : [{
    Sid       = "RuleSends"
    Effect    = "Allow"
    Principal = { Service = "events.amazonaws.com" }
    Action    = "sqs:SendMessage"
    Resource  = aws_sqs_queue.this.arn
    Condition = {
      ArnEquals    = { "aws:SourceArn" = var.rule_arn }
      StringEquals = { "aws:SourceAccount" = var.account }
    }
  }]
}

resource "aws_sqs_queue_policy" "this" {
  queue_url = aws_sqs_queue.this.url
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = concat([local.tls_only["this"]], local.bucket_publishes, local.rule_sends)
  })
}

resource "aws_sqs_queue_policy" "dead_letter" {
  queue_url = aws_sqs_queue.dead_letter.url
  policy    = jsonencode({ Version = "2012-10-17", Statement = [local.tls_only["dead_letter"]] })
}
