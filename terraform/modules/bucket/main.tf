# The bucket that holds raw candles, transformed ones, reports, and quarantined rows.

resource "aws_s3_bucket" "this" {
  #checkov:skip=CKV_AWS_144:Copies in a second region double the storage; what the bucket holds can be fetched and cleaned again
  #checkov:skip=CKV_AWS_18:Access logs of a bucket that is closed to other accounts would cost more than they are worth; CloudTrail data events can be turned on for the account
  #checkov:skip=CKV_AWS_145:The customer's key encrypts when customer_key is set; without it S3's own does, by choice and at no cost
  #checkov:skip=CKV2_AWS_62:The root module has the one notification resource, which needs the queues' policies first
  bucket        = var.name
  force_destroy = var.force_destroy
}

resource "aws_s3_bucket_versioning" "this" {
  bucket = aws_s3_bucket.this.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_ownership_controls" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    # One data key for many objects: without it every object causes a call to KMS.
    bucket_key_enabled = var.customer_key

    apply_server_side_encryption_by_default {
      sse_algorithm     = var.customer_key ? "aws:kms" : "AES256"
      kms_master_key_id = var.key_arn
    }
  }
}

resource "aws_s3_bucket_public_access_block" "this" {
  bucket = aws_s3_bucket.this.id

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_policy" "this" {
  bucket = aws_s3_bucket.this.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "TlsOnly"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = [aws_s3_bucket.this.arn, "${aws_s3_bucket.this.arn}/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })

  # S3 refuses two concurrent changes of a bucket's access settings.
  depends_on = [aws_s3_bucket_public_access_block.this]
}

resource "aws_s3_bucket_lifecycle_configuration" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    id     = "parts-of-broken-uploads"
    status = "Enabled"
    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }

  rule {
    id     = "old-versions"
    status = "Enabled"
    filter {}

    noncurrent_version_expiration {
      noncurrent_days           = 30
      newer_noncurrent_versions = 3
    }
  }

  rule {
    id     = "answers-of-queries"
    status = "Enabled"

    filter {
      prefix = var.answers_prefix
    }

    expiration {
      days = 7
    }
  }

  # Closed months of intraday candles. A daily object is rewritten before it is that old.
  rule {
    id     = "raw-is-seldom-read"
    status = "Enabled"

    filter {
      and {
        prefix                   = var.raw_prefix
        object_size_greater_than = 131072
      }
    }

    transition {
      days          = 90
      storage_class = "STANDARD_IA"
    }
  }

  depends_on = [aws_s3_bucket_versioning.this]
}
