# What surrounds the services: schedule, alarms, network, key, table.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  image_tag      = "1.2.3"
  watchlist_path = "../watchlist.toml"
}

run "scheduler_fills_in_the_time" {
  assert {
    condition     = alltrue([for schedule in aws_scheduler_schedule.refresh : strcontains(schedule.target[0].input, "<aws.scheduler.scheduled-time>") && jsondecode(schedule.target[0].input).kind == "refresh"])
    error_message = "The message is not a refresh, or its placeholder is escaped, and Scheduler would send it as it is."
  }

  assert {
    condition     = alltrue([for schedule in aws_scheduler_schedule.refresh : schedule.target[0].arn == output.queues["ingest"].arn && schedule.target[0].dead_letter_config[0].arn == aws_sqs_queue.schedule_dead_letters.arn && schedule.target[0].retry_policy[0].maximum_retry_attempts > 0])
    error_message = "A schedule misses its queue, its retries or its dead-letter queue."
  }
}

run "what_got_lost_is_looked_for" {
  assert {
    condition     = aws_scheduler_schedule.reconcile.target[0].arn == aws_ecs_cluster.this.arn && aws_scheduler_schedule.reconcile.target[0].ecs_parameters[0].task_definition_arn == module.reconcile.task_definition_arn && jsondecode(module.reconcile.container)[0].command[0] == "reconcile"
    error_message = "The schedule runs something else."
  }

  assert {
    condition     = aws_scheduler_schedule.reconcile.target[0].dead_letter_config[0].arn == aws_sqs_queue.schedule_dead_letters.arn && aws_scheduler_schedule.reconcile.target[0].retry_policy[0].maximum_retry_attempts > 0 && !aws_scheduler_schedule.reconcile.target[0].ecs_parameters[0].network_configuration[0].assign_public_ip
    error_message = "The schedule misses its retries or its dead-letter queue, or its task has a public address."
  }

  assert {
    condition     = alltrue([for statement in jsondecode(aws_iam_role_policy.reconcile_schedule.policy).Statement : alltrue([for resource in statement.Resource : resource != "*"])]) && one([for statement in jsondecode(aws_iam_role_policy.reconcile_schedule.policy).Statement : statement.Condition.StringEquals["iam:PassedToService"] if statement.Sid == "GiveTaskItsRoles"]) == "ecs-tasks.amazonaws.com"
    error_message = "Scheduler may run anything, or hand roles to anybody."
  }

  assert {
    condition     = strcontains(one([for word in jsondecode(module.migrate.container)[0].command : word if strcontains(word, "reconcile")]), "candlewick_reconcile=dashboard_readonly")
    error_message = "The task may not log in, or may write."
  }
}

run "somebody_is_always_there_to_tell" {
  assert {
    condition     = local.sizes["notifier"].min == 1
    error_message = "With no task of the notifier nobody sweeps, and no heartbeat is sent."
  }
}

run "silence_is_an_alarm_where_silence_is_the_trouble" {
  assert {
    condition     = aws_cloudwatch_metric_alarm.nothing_fetched.treat_missing_data == "breaching" && aws_cloudwatch_metric_alarm.nothing_fetched.evaluation_periods == 26
    error_message = "A run that never took place would go unnoticed."
  }

  assert {
    condition     = anytrue([for schedule in aws_scheduler_schedule.refresh : can(regex("^cron\\([0-9]+ [0-9]+ \\* \\* \\? \\*\\)$", schedule.schedule_expression))]) && var.fetch_late_after_hours > 24
    error_message = "No schedule comes every day: each weekend would raise the alarm on silence."
  }

  assert {
    condition     = alltrue([for alarm in aws_cloudwatch_metric_alarm.queue : alarm.treat_missing_data == "notBreaching" && alarm.alarm_actions == toset([aws_sns_topic.alerts.arn])])
    error_message = "An idle queue would raise an alarm, or an alarm notifies nobody."
  }

  assert {
    condition     = alltrue([for role in keys(output.queues) : anytrue([for alarm in aws_cloudwatch_metric_alarm.queue : alarm.dimensions.QueueName == output.queues[role].dead_letter_name && alarm.threshold == 1 && alarm.metric_name == "ApproximateNumberOfMessagesVisible"])])
    error_message = "A dead letter of some queue would go unnoticed."
  }
}

run "the_page_is_drawn_from_what_there_is" {
  assert {
    condition     = length(jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets) == 10 && length(jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets[0].properties.alarms) == length(output.alarms)
    error_message = "The page misses a part, or an alarm."
  }
}

run "only_two_services_have_a_way_out" {
  assert {
    condition     = local.inside_subnets == module.network.isolated_subnets && length(module.network.interfaces) == 5
    error_message = "A service that needs no internet access has it, or has no endpoints instead."
  }
}

run "without_endpoints_all_share_the_nat_gateway" {
  variables {
    interface_endpoints = false
  }

  assert {
    condition     = local.inside_subnets == module.network.egress_subnets && length(module.network.interfaces) == 0 && length(module.network.nat_gateways) == 1
    error_message = "Tasks could reach nothing, or more is paid for than is used."
  }
}

run "without_a_key_of_ones_own_sqs_encrypts" {
  variables {
    customer_key = false
  }

  assert {
    condition     = length(aws_kms_key.this) == 0 && aws_sqs_queue.schedule_dead_letters.sqs_managed_sse_enabled
    error_message = "A queue is not encrypted."
  }
}

run "the_key_is_used_through_services" {
  assert {
    condition     = alltrue([for statement in jsondecode(aws_kms_key.this[0].policy).Statement : statement.Sid == "Administration" || can(statement.Condition)])
    error_message = "Somebody may use the key for anything."
  }

  assert {
    condition     = anytrue([for statement in jsondecode(aws_kms_key.this[0].policy).Statement : try(contains(statement.Principal.Service, "s3.amazonaws.com"), false)])
    error_message = "S3 could not write to the queues."
  }
}

run "athena_finds_objects_by_their_keys" {
  assert {
    condition     = endswith(aws_glue_catalog_table.candles.parameters["storage.location.template"], "/columnar/interval=$${interval_key}/symbol=$${symbol_key}/")
    error_message = "The table reads another place than the programs write to."
  }

  assert {
    condition     = alltrue([for column in aws_glue_catalog_table.candles.storage_descriptor[0].columns : contains(["open", "high", "low", "close", "volume"], column.name) == (column.type == "decimal(38,20)")])
    error_message = "A price or a volume has another type than in the objects."
  }
}

run "symbols_can_be_listed" {
  variables {
    athena_symbols = ["AAPL", "BTC%2FUSD"]
  }

  assert {
    condition     = aws_glue_catalog_table.candles.parameters["projection.symbol_key.values"] == "AAPL,BTC%2FUSD" && aws_glue_catalog_table.candles.parameters["projection.symbol_key.type"] == "enum"
    error_message = "Athena would not know which symbols to search."
  }
}

run "a_dashboard_for_private_networks_stays_inside" {
  variables {
    dashboard_certificate_arn = "arn:aws:acm:eu-central-1:123456789012:certificate/example"
    dashboard_cidrs           = ["10.0.0.0/8", "192.168.7.0/24"]
  }

  assert {
    condition     = length(module.load_balancer) == 1 && module.load_balancer[0].internal
    error_message = "A dashboard for private networks has an address that the internet can reach."
  }
}

run "a_dashboard_for_the_internet_does_not" {
  variables {
    dashboard_certificate_arn = "arn:aws:acm:eu-central-1:123456789012:certificate/example"
    dashboard_cidrs           = ["10.0.0.0/8", "203.0.113.0/24"]
  }

  assert {
    condition     = !module.load_balancer[0].internal
    error_message = "Nobody outside could reach the dashboard."
  }
}
