# What a task gets: roles, settings, secrets, and where it runs.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  image_tag      = "1.2.3"
  watchlist_path = "../watchlist.toml"
}

run "containers_are_closed" {
  assert {
    condition = alltrue([for service in [module.ingest, module.transform, module.loader, module.notifier, module.dashboard] : alltrue([
      for container in jsondecode(service.container) : container.readonlyRootFilesystem && !container.privileged && container.user == "65532:65532" && container.linuxParameters.capabilities.drop == ["ALL"]
    ])])
    error_message = "A container can write, is privileged, runs as root or keeps a capability."
  }

  assert {
    condition     = alltrue([for service in [module.ingest, module.transform, module.loader, module.notifier, module.dashboard] : jsondecode(service.container)[0].stopTimeout == 120])
    error_message = "A container has less time to stop than Fargate allows."
  }

  assert {
    condition = alltrue([for task in [module.reconcile, module.migrate] : alltrue([
      for container in jsondecode(task.container) : container.readonlyRootFilesystem && container.user == "65532:65532" && container.linuxParameters.capabilities.drop == ["ALL"]
    ])])
    error_message = "A container of the operator's image can write, runs as root or keeps a capability."
  }
}

run "no_setting_is_empty" {
  assert {
    condition     = alltrue([for service in [module.ingest, module.transform, module.loader, module.notifier, module.dashboard] : alltrue([for setting in jsondecode(service.container)[0].environment : setting.value != null && setting.value != ""])])
    error_message = "A setting without a value must be left out."
  }

  assert {
    condition     = !contains(jsondecode(module.ingest.container)[0].environment[*].name, "OTEL_EXPORTER_OTLP_ENDPOINT")
    error_message = "No collector was named, and ingest gets one."
  }
}

run "secrets_are_not_settings" {
  variables {
    twelvedata_api_key = "an-example-of-a-key"
    dashboard_token    = "an-example-of-a-token-of-24"
  }

  assert {
    condition     = jsondecode(module.ingest.container)[0].secrets[*].name == ["TWELVEDATA_API_KEY"] && jsondecode(module.dashboard.container)[0].secrets[*].name == ["DASHBOARD_TOKEN"]
    error_message = "A secret is missing."
  }

  assert {
    condition     = !strcontains(join(" ", [module.ingest.container, module.dashboard.container]), "an-example")
    error_message = "A secret's value is in a container's definition."
  }

  assert {
    condition     = length(aws_secretsmanager_secret_version.this) == 2 && alltrue([for version in aws_secretsmanager_secret_version.this : version.secret_string_wo_version == 1])
    error_message = "A secret that was given is not written, or cannot be written again."
  }
}

run "a_secret_without_a_value_is_left_to_the_user" {
  assert {
    condition     = length(aws_secretsmanager_secret.this) == 2 && length(aws_secretsmanager_secret_version.this) == 0
    error_message = "A secret without a value gets a version."
  }
}

run "nobody_requests_runs_at_the_dashboard" {
  assert {
    condition     = !strcontains(module.dashboard.task_policy, "sqs:SendMessage") && !contains(keys(aws_secretsmanager_secret.this), "dashboard-write-token")
    error_message = "The dashboard may request runs, and nobody asked for that."
  }
}

run "runs_are_requested_at_the_dashboard" {
  variables { dashboard_requests_runs = true }

  assert {
    condition     = contains(jsondecode(module.dashboard.container)[0].secrets[*].name, "DASHBOARD_WRITE_TOKEN") && strcontains(module.dashboard.execution_policy, aws_secretsmanager_secret.this["dashboard-write-token"].arn)
    error_message = "The dashboard does not get the token of those who request runs."
  }

  assert {
    condition     = one([for statement in jsondecode(module.dashboard.task_policy).Statement : statement.Resource if contains(statement.Action, "sqs:SendMessage")]) == [output.queues["ingest"].arn]
    error_message = "The dashboard may send messages to another queue than that of ingest, or not to that one."
  }
}

run "the_ways_to_the_owner_are_secrets" {
  variables {
    notifier_secrets  = ["HEARTBEAT_URL", "ALERT_TELEGRAM_TOKEN"]
    notifier_settings = { ALERT_TELEGRAM_CHAT = "-100123" }
  }

  assert {
    condition     = toset(jsondecode(module.notifier.container)[0].secrets[*].name) == toset(["ALERT_TELEGRAM_TOKEN", "HEARTBEAT_URL"]) && contains(jsondecode(module.notifier.container)[0].environment[*].name, "ALERT_TELEGRAM_CHAT")
    error_message = "The notifier does not get what was named, or has a secret as a setting."
  }

  assert {
    condition     = aws_secretsmanager_secret.this["heartbeat-url"].name == "candlewick/heartbeat-url" && length(aws_secretsmanager_secret_version.this) == 0
    error_message = "There is no secret to put the value into, or Terraform puts one there itself."
  }

  assert {
    condition     = strcontains(module.notifier.execution_policy, "secretsmanager:") && !strcontains(module.transform.execution_policy, "secretsmanager:")
    error_message = "The notifier's container cannot be given its secrets, or another one can."
  }
}

run "dashboards_are_saved_and_framed_only_where_that_is_asked_for" {
  assert {
    condition     = !strcontains(module.dashboard.container, "DASHBOARD_EDIT_TOKEN") && !strcontains(module.dashboard.container, "DASHBOARD_FRAME_ANCESTORS") && !strcontains(module.dashboard.task_policy, "s3:PutObject")
    error_message = "The dashboard may write, or be framed, and nobody asked for it."
  }
}

run "dashboards_can_be_saved_and_framed" {
  variables {
    dashboard_editing         = true
    dashboard_frame_ancestors = ["https://wiki.example", "https://intra.example"]
  }

  assert {
    condition     = contains(jsondecode(module.dashboard.container)[0].secrets[*].name, "DASHBOARD_EDIT_TOKEN") && aws_secretsmanager_secret.this["dashboard-edit-token"].name == "candlewick/dashboard-edit-token"
    error_message = "The dashboard does not get the token that saving takes."
  }

  assert {
    condition     = one([for statement in jsondecode(module.dashboard.task_policy).Statement : statement.Resource if contains(flatten([statement.Action]), "s3:PutObject")]) == ["${module.bucket.arn}/config/dashboards/*"]
    error_message = "The dashboard cannot write dashboards, or can write more."
  }

  assert {
    condition     = one([for setting in jsondecode(module.dashboard.container)[0].environment : setting.value if setting.name == "DASHBOARD_FRAME_ANCESTORS"]) == "https://wiki.example https://intra.example"
    error_message = "The sites are not passed on."
  }
}

run "a_balancer_may_ask_who_a_visitor_is" {
  variables {
    dashboard_certificate_arn    = "arn:aws:acm:eu-central-1:123456789012:certificate/0"
    dashboard_cidrs              = ["203.0.113.0/24"]
    dashboard_oidc_client_secret = "an-example-of-a-secret"
    dashboard_oidc = {
      issuer                 = "https://login.example"
      authorization_endpoint = "https://login.example/authorize"
      token_endpoint         = "https://login.example/token"
      user_info_endpoint     = "https://login.example/me"
      client_id              = "candlewick"
    }
  }

  assert {
    condition     = module.load_balancer[0].asks_who_a_visitor_is && module.load_balancer[0].target_group_arn != null
    error_message = "Visitors are not authenticated, or authenticated visitors do not reach the dashboard."
  }

  assert {
    condition     = one([for setting in jsondecode(module.dashboard.container)[0].environment : setting.value if setting.name == "DASHBOARD_TRUSTED_PROXIES"]) == "1" && contains(jsondecode(module.dashboard.container)[0].secrets[*].name, "DASHBOARD_TOKEN")
    error_message = "All visitors share one address, or the dashboard trusts the balancer without a token."
  }
}

run "task_roles_do_not_start_containers" {
  assert {
    condition     = alltrue([for service in [module.ingest, module.transform, module.loader, module.notifier, module.dashboard] : !strcontains(service.task_policy, "ecr:") && !strcontains(service.task_policy, "secretsmanager:") && !strcontains(service.task_policy, "logs:")])
    error_message = "A program may do what only the start of its container needs."
  }

  assert {
    condition     = alltrue([for service in [module.ingest, module.transform, module.loader, module.notifier, module.dashboard] : alltrue([for statement in jsondecode(service.task_policy).Statement : alltrue([for resource in statement.Resource : resource != "*"])])])
    error_message = "A program may do something to everything."
  }

  assert {
    condition     = alltrue([for service in [module.transform, module.loader] : !strcontains(service.execution_policy, "secretsmanager:")])
    error_message = "A service without secrets may read one."
  }
}

run "programs_log_in_as_themselves" {
  assert {
    condition     = anytrue([for statement in jsondecode(module.loader.task_policy).Statement : statement.Resource == ["arn:aws:rds-db:eu-central-1:123456789012:dbuser:db-ABCDEFGHIJKL/candlewick_loader"]])
    error_message = "The loader may not log in, or as somebody else too."
  }

  assert {
    condition     = !strcontains(module.transform.task_policy, "rds-db:")
    error_message = "The transform may log in to a database that it never uses."
  }

  assert {
    condition     = one([for setting in jsondecode(module.loader.container)[0].environment : setting.value if setting.name == "DATABASE_URL"]) == "postgres://candlewick_loader@candlewick.example.eu-central-1.rds.amazonaws.com:5432/candlewick?sslmode=verify-full&sslrootcert=/etc/ssl/certs/rds-global-bundle.pem"
    error_message = "The loader's database address has a password, or does not verify the server."
  }
}

run "the_notifier_sees_every_dead_letter" {
  assert {
    condition = alltrue([for role, queue in output.queues :
      contains(flatten([for statement in jsondecode(module.notifier.task_policy).Statement : statement.Resource if statement.Action == ["sqs:GetQueueAttributes"]]), queue.dead_letter_arn)
      && contains(jsondecode(module.notifier.container)[0].environment[*].name, "${upper(role)}_QUEUE_URL")
    ])
    error_message = "The notifier cannot look at some queue's dead letters, and its sweep fails or misses them."
  }
}

run "images_can_be_pinned_by_digest" {
  variables {
    images = {
      loader     = "registry.example/loader@sha256:0123456789012345678901234567890123456789012345678901234567890123"
      candlewick = "registry.example/candlewick@sha256:0123456789012345678901234567890123456789012345678901234567890123"
    }
  }

  assert {
    condition     = jsondecode(module.loader.container)[0].image == var.images["loader"] && jsondecode(module.migrate.container)[0].image == var.images["candlewick"] && endswith(jsondecode(module.ingest.container)[0].image, ":1.2.3")
    error_message = "A pinned image is not what runs, or is what everything runs."
  }
}

run "one_task_is_given_the_password_of_the_owner" {
  assert {
    condition     = jsondecode(module.migrate.container)[0].secrets == [{ name = "PGPASSWORD", valueFrom = "${output.database.owner_secret_arn}:password::" }] && one([for statement in jsondecode(module.migrate.execution_policy).Statement : statement.Resource if statement.Sid == "ReadPassword"]) == [output.database.owner_secret_arn]
    error_message = "The migration task does not get the password, or may not read it."
  }

  assert {
    condition     = jsondecode(module.reconcile.container)[0].secrets == [] && !strcontains(module.reconcile.execution_policy, "secretsmanager:")
    error_message = "The reconcile task may read a secret."
  }

  assert {
    condition     = module.migrate.task_policy == null && length(module.migrate.role_arns) == 1 && length(module.reconcile.role_arns) == 2
    error_message = "The migration task may call AWS, or the reconcile task may not."
  }
}

run "events_of_loads_go_nowhere_unless_they_are_wanted" {
  assert {
    condition     = length(aws_sns_topic.loaded) == 0 && !strcontains(module.notifier.task_policy, "events:PutEvents")
    error_message = "There is a topic or a right that nobody asked for."
  }
}

run "events_of_loads_go_to_the_topic_and_the_bus" {
  variables {
    loaded_topic     = true
    loaded_event_bus = "default"
  }

  assert {
    condition     = one([for statement in jsondecode(module.notifier.task_policy).Statement : statement.Resource if statement.Sid == "PublishLoads"]) == [aws_sns_topic.loaded[0].arn]
    error_message = "The notifier may not publish to the topic, or to another one."
  }

  assert {
    condition     = alltrue([for bus in one([for statement in jsondecode(module.notifier.task_policy).Statement : statement.Resource if statement.Action == ["events:PutEvents"]]) : endswith(bus, ":event-bus/default")])
    error_message = "The notifier may not put events on the bus, or on another one."
  }

  assert {
    condition     = alltrue([for name in ["LOADED_SNS_TOPIC_ARN", "LOADED_EVENT_BUS"] : contains(jsondecode(module.notifier.container)[0].environment[*].name, name)])
    error_message = "The notifier does not learn of the topic or the bus."
  }
}
