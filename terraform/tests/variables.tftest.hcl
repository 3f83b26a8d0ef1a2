# Invalid input is refused before anything is created.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  image_tag      = "1.2.3"
  watchlist_path = "../watchlist.toml"
}

run "a_tag_that_moves" {
  command = plan
  variables { image_tag = "latest" }
  expect_failures = [var.image_tag]
}

run "an_image_that_is_not_pinned" {
  command = plan
  variables { images = { loader = "registry.example/loader:1" } }
  expect_failures = [var.images]
}

run "an_image_of_no_service" {
  command = plan
  variables { images = { load = "registry.example/loader@sha256:0123456789012345678901234567890123456789012345678901234567890123" } }
  expect_failures = [var.images]
}

run "a_watchlist_that_is_not_there" {
  command = plan
  variables { watchlist_path = "nowhere.toml" }
  expect_failures = [var.watchlist_path]
}

run "two_ingests" {
  command = plan
  variables { sizes = { ingest = { max = 2 } } }
  expect_failures = [var.sizes]
}

run "a_size_that_fargate_has_not" {
  command = plan
  variables { sizes = { loader = { cpu = 300 } } }
  expect_failures = [var.sizes]
}

run "a_schedule_of_no_form" {
  command = plan
  variables { schedules = { daily = { expression = "30 17 * * *" } } }
  expect_failures = [var.schedules]
}

run "a_time_to_reconcile_of_no_form" {
  command = plan
  variables { reconcile_schedule = "hourly" }
  expect_failures = [var.reconcile_schedule]
}

run "a_bucket_with_dots" {
  command = plan
  variables { bucket_name = "my.bucket" }
  expect_failures = [var.bucket_name]
}

run "a_short_token" {
  command = plan
  variables { dashboard_token = "secret" }
  expect_failures = [var.dashboard_token]
}

run "a_network_that_is_too_small" {
  command = plan
  variables { cidr = "10.0.0.0/24" }
  expect_failures = [var.cidr]
}

run "one_zone" {
  command = plan
  variables { availability_zones = 1 }
  expect_failures = [var.availability_zones]
}

run "no_week_of_backups" {
  command = plan
  variables { database = { backup_days = 1 } }
  expect_failures = [var.database]
}

run "a_mail_address_that_is_none" {
  command = plan
  variables { alert_emails = ["me"] }
  expect_failures = [var.alert_emails]
}

run "a_budget_of_nought" {
  command = plan
  variables { monthly_budget_usd = 0 }
  expect_failures = [var.monthly_budget_usd]
}

run "a_setting_that_is_no_secret_of_the_notifier" {
  command = plan
  variables { notifier_secrets = ["RUST_LOG"] }
  expect_failures = [var.notifier_secrets]
}

run "a_secret_among_the_settings" {
  command = plan
  variables { notifier_settings = { ALERT_SLACK_WEBHOOK_URL = "https://hooks.slack.com/services/T/B/x" } }
  expect_failures = [var.notifier_settings]
}

run "an_oidc_provider_without_a_balancer" {
  command = plan
  variables {
    dashboard_oidc = {
      issuer                 = "https://login.example"
      authorization_endpoint = "https://login.example/authorize"
      token_endpoint         = "https://login.example/token"
      user_info_endpoint     = "https://login.example/me"
      client_id              = "candlewick"
    }
  }
  expect_failures = [var.dashboard_oidc]
}

run "an_oidc_provider_in_plain_text" {
  command = plan
  variables {
    dashboard_certificate_arn    = "arn:aws:acm:eu-central-1:123456789012:certificate/0"
    dashboard_oidc_client_secret = "an-example-of-a-secret"
    dashboard_oidc = {
      issuer                 = "https://login.example"
      authorization_endpoint = "http://login.example/authorize"
      token_endpoint         = "https://login.example/token"
      user_info_endpoint     = "https://login.example/me"
      client_id              = "candlewick"
    }
  }
  expect_failures = [var.dashboard_oidc]
}

run "a_bus_of_another_account" {
  command = plan
  variables { loaded_event_bus = "arn:aws:events:us-east-1:111122223333:event-bus/default" }
  expect_failures = [var.loaded_event_bus]
}
