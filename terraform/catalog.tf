# The candles as a table on the Parquet objects, for Athena and other readers of the Glue catalogue. Partitions are derived from the query
# (projection), so no crawler is needed and a new object is visible at once.

locals {
  catalog = replace(local.name, "-", "_")

  # The columns of the objects, the same in every one.
  columns = ["symbol", "interval", "time", "open", "high", "low", "close", "volume", "has_volume", "is_filled"]
  # Those that are not prices or volumes.
  column_types = { symbol = "string", interval = "string", time = "timestamp", has_volume = "boolean", is_filled = "boolean" }
  decimal      = "decimal(38,20)"

  # Intervals, as in object keys.
  intervals = ["1min", "5min", "15min", "30min", "45min", "1h", "2h", "4h", "8h", "1day", "1week", "1month"]

  symbol_projection = length(var.athena_symbols) == 0 ? { "projection.symbol_key.type" = "injected" } : {
    "projection.symbol_key.type"   = "enum"
    "projection.symbol_key.values" = join(",", var.athena_symbols)
  }
}

resource "aws_glue_catalog_database" "this" {
  name        = local.catalog
  description = "Clean candles"
}

resource "aws_glue_catalog_table" "candles" {
  name          = "candles"
  description   = "Clean candles; an unknown volume is null"
  database_name = aws_glue_catalog_database.this.name
  table_type    = "EXTERNAL_TABLE"

  parameters = merge(local.symbol_projection, {
    EXTERNAL                         = "TRUE"
    classification                   = "parquet"
    "projection.enabled"             = "true"
    "projection.interval_key.type"   = "enum"
    "projection.interval_key.values" = join(",", local.intervals)
    "storage.location.template"      = "s3://${module.bucket.name}/${local.prefixes.columnar}interval=$${interval_key}/symbol=$${symbol_key}/"
  })

  partition_keys {
    name = "interval_key"
    type = "string"
  }

  partition_keys {
    name    = "symbol_key"
    type    = "string"
    comment = "The symbol as keys spell it: BTC%2FUSD"
  }

  storage_descriptor {
    location      = "s3://${module.bucket.name}/${local.prefixes.columnar}"
    input_format  = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat"
    output_format = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat"

    ser_de_info {
      serialization_library = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
    }

    dynamic "columns" {
      for_each = local.columns

      content {
        name = columns.value
        type = lookup(local.column_types, columns.value, local.decimal)
      }
    }
  }
}

resource "aws_athena_workgroup" "this" {
  name          = local.name
  force_destroy = var.force_destroy

  configuration {
    enforce_workgroup_configuration = true
    # A query that reads more than 10 GB is a mistake; Athena costs 5 USD per 1000 GB.
    bytes_scanned_cutoff_per_query = 10 * 1000 * 1000 * 1000

    result_configuration {
      output_location = "s3://${module.bucket.name}/${local.athena_prefix}"

      encryption_configuration {
        encryption_option = var.customer_key ? "SSE_KMS" : "SSE_S3"
        kms_key_arn       = local.key_arn
      }
    }
  }
}
