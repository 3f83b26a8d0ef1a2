# The transformed objects as a table, for Athena and other readers of the Glue catalogue. Partitions are derived from the query
# (projection), so no crawler is needed and a new object is visible at once.

locals {
  catalog = replace(local.name, "-", "_")

  # The columns of clean CSV, the same in every object.
  csv_columns = ["symbol", "interval", "time", "open", "high", "low", "close", "volume", "has_volume", "is_filled"]

  # Intervals, as in object keys.
  intervals = ["1min", "5min", "15min", "30min", "45min", "1h", "2h", "4h", "8h", "1day", "1week", "1month"]

  symbol_projection = length(var.athena_symbols) == 0 ? { "projection.symbol_key.type" = "injected" } : {
    "projection.symbol_key.type"   = "enum"
    "projection.symbol_key.values" = join(",", var.athena_symbols)
  }

  candles_columns = [
    { name = "symbol", hive = "string", presto = "varchar", sql = "symbol" },
    { name = "interval", hive = "string", presto = "varchar", sql = "\"interval\"" },
    { name = "time", hive = "timestamp", presto = "timestamp", sql = "CAST(from_iso8601_timestamp(\"time\") AS timestamp)" },
    { name = "open", hive = "decimal(38,18)", presto = "decimal(38,18)", sql = "CAST(open AS decimal(38,18))" },
    { name = "high", hive = "decimal(38,18)", presto = "decimal(38,18)", sql = "CAST(high AS decimal(38,18))" },
    { name = "low", hive = "decimal(38,18)", presto = "decimal(38,18)", sql = "CAST(low AS decimal(38,18))" },
    { name = "close", hive = "decimal(38,18)", presto = "decimal(38,18)", sql = "CAST(close AS decimal(38,18))" },
    { name = "volume", hive = "decimal(38,18)", presto = "decimal(38,18)", sql = "CASE WHEN has_volume = 'true' THEN CAST(volume AS decimal(38,18)) END" },
    { name = "is_filled", hive = "boolean", presto = "boolean", sql = "is_filled = 'true'" },
    { name = "interval_key", hive = "string", presto = "varchar", sql = "interval_key" },
    { name = "symbol_key", hive = "string", presto = "varchar", sql = "symbol_key" },
  ]
  candles_sql = join(" ", [
    "SELECT", join(", ", [for column in local.candles_columns : "${column.sql} AS \"${column.name}\""]),
    "FROM \"${local.catalog}\".\"candles_csv\"",
  ])
}

resource "aws_glue_catalog_database" "this" {
  name        = local.catalog
  description = "Clean candles"
}

resource "aws_glue_catalog_table" "candles_csv" {
  name          = "candles_csv"
  description   = "Transformed objects as they are, every cell a string"
  database_name = aws_glue_catalog_database.this.name
  table_type    = "EXTERNAL_TABLE"

  parameters = merge(local.symbol_projection, {
    EXTERNAL                         = "TRUE"
    classification                   = "csv"
    "skip.header.line.count"         = "1"
    "projection.enabled"             = "true"
    "projection.interval_key.type"   = "enum"
    "projection.interval_key.values" = join(",", local.intervals)
    "storage.location.template"      = "s3://${module.bucket.name}/${local.prefixes.transformed}interval=$${interval_key}/symbol=$${symbol_key}/"
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
    location      = "s3://${module.bucket.name}/${local.prefixes.transformed}"
    input_format  = "org.apache.hadoop.mapred.TextInputFormat"
    output_format = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"

    ser_de_info {
      serialization_library = "org.apache.hadoop.hive.serde2.OpenCSVSerde"
      parameters            = { separatorChar = ",", quoteChar = "\"" }
    }

    dynamic "columns" {
      for_each = local.csv_columns

      content {
        name = columns.value
        type = "string"
      }
    }
  }
}

# The same with types, and null if the volume is unknown.
resource "aws_glue_catalog_table" "candles" {
  name          = "candles"
  description   = "Clean candles, with types"
  database_name = aws_glue_catalog_database.this.name
  table_type    = "VIRTUAL_VIEW"
  parameters    = { presto_view = "true", comment = "Presto View" }

  view_expanded_text = "/* Presto View */"
  view_original_text = "/* Presto View: ${base64encode(jsonencode({
    originalSql = local.candles_sql
    catalog     = "awsdatacatalog"
    schema      = local.catalog
    columns     = [for column in local.candles_columns : { name = column.name, type = column.presto }]
  }))} */"

  storage_descriptor {
    dynamic "columns" {
      for_each = local.candles_columns

      content {
        name = columns.value.name
        type = columns.value.hive
      }
    }
  }

  depends_on = [aws_glue_catalog_table.candles_csv]
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
