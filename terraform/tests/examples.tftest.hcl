# Both examples are valid, and differ as their first lines say.

mock_provider "aws" {
  source = "./tests/mocks"
}

run "minimal" {
  module {
    source = "./examples/minimal"
  }

  variables {
    image_tag = "1.2.3"
  }

  assert {
    condition     = output.candlewick.dashboard_address == null && length(output.candlewick.services) == 5
    error_message = "The minimal example differs from its description."
  }
}

run "production" {
  module {
    source = "./examples/production"
  }

  variables {
    image_tag                 = "1.2.3"
    watchlist_path            = "../watchlist.toml"
    alert_emails              = ["owner@example.com"]
    twelvedata_plan           = "pro"
    dashboard_certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/example"
    dashboard_cidrs           = ["203.0.113.0/24"]
  }

  assert {
    condition     = output.candlewick.dashboard_address != null && length(output.candlewick.alarms) > length(output.candlewick.services)
    error_message = "The production example differs from its description."
  }
}
