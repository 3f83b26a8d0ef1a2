locals {
  # HEARTBEAT_URL is stored as heartbeat-url.
  notifier_secrets = { for setting in var.notifier_secrets : setting => lower(replace(setting, "_", "-")) }

  # The token of those who may request runs, if somebody may.
  dashboard_write_secrets = var.dashboard_requests_runs ? ["dashboard-write-token"] : []

  secrets = merge(
    {
      twelvedata-api-key = "The key to the TwelveData API"
      dashboard-token    = "What a visitor of the dashboard presents"
    },
    var.dashboard_editing ? { dashboard-edit-token = "What saving a dashboard takes" } : {},
    { for name in local.dashboard_write_secrets : name => "What a caller presents to request a run" },
    { for setting, name in local.notifier_secrets : name => "${setting} of the notifier" },
  )
  secret_values = {
    twelvedata-api-key = var.twelvedata_api_key
    dashboard-token    = var.dashboard_token
  }
}

resource "aws_secretsmanager_secret" "this" {
  #checkov:skip=CKV2_AWS_57:TwelveData has no call that changes a key, and the token is the user's; docs/deploy.md says how to change both
  for_each = local.secrets

  name                    = "${local.name}/${each.key}"
  description             = each.value
  kms_key_id              = local.key_arn
  recovery_window_in_days = var.force_destroy ? 0 : 30
}

# Write-only: the value goes to AWS and never into the state.
resource "aws_secretsmanager_secret_version" "this" {
  for_each = { for name in keys(local.secret_values) : name => name if nonsensitive(local.secret_values[name] != null) }

  secret_id                = aws_secretsmanager_secret.this[each.key].id
  secret_string_wo         = local.secret_values[each.key]
  secret_string_wo_version = var.secrets_version
}
