# The stack has what topology.json lists, and it is connected: dead letters, policies, one notification.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  image_tag      = "1.2.3"
  watchlist_path = "../watchlist.toml"
}

run "queues_are_those_of_the_topology" {
  assert {
    condition     = { for role, queue in output.queues : role => queue.name } == { for role, queue in jsondecode(file("../topology.json")).queues : role => queue.name }
    error_message = "The queues are not those of topology.json."
  }

  assert {
    condition     = alltrue([for queue in values(output.queues) : queue.dead_letter_name == "${queue.name}${jsondecode(file("../topology.json")).dead_letter_suffix}"])
    error_message = "The programs find a dead-letter queue by its queue's name, and would not find these."
  }
}

run "the_bucket_tells_what_the_topology_says" {
  assert {
    condition = { for queue in aws_s3_bucket_notification.this.queue : queue.id => { arn = queue.queue_arn, prefix = queue.filter_prefix, events = queue.events } } == {
      for role, queue in jsondecode(file("../topology.json")).queues :
      role => { arn = output.queues[role].arn, prefix = queue.notification.prefix, events = toset(queue.notification.events) } if queue.notification != null
    }
    error_message = "The notifications are not those of topology.json."
  }
}

run "a_second_stack_has_names_of_its_own" {
  variables {
    name_prefix = "staging-"
  }

  assert {
    condition     = alltrue([for queue in values(output.queues) : startswith(queue.name, "staging-candlewick")])
    error_message = "Two stacks would have queues of one name."
  }

  assert {
    condition     = output.cluster == "staging-candlewick" && module.database.identifier == "staging-candlewick"
    error_message = "Two stacks would have a cluster or a database of one name."
  }
}

run "without_a_consumer_there_is_no_rule" {
  assert {
    condition     = length(aws_cloudwatch_event_rule.consumer) == 0 && !aws_s3_bucket_notification.this.eventbridge
    error_message = "The bucket sends events that nobody consumes."
  }
}

run "a_consumer_gets_a_queue_and_a_rule" {
  variables {
    name_prefix = "staging-"
    consumers   = { summaries = { of = "transformed/", max_receive_count = 5 } }
  }

  assert {
    condition     = output.queues["summaries"].name == "staging-candlewick-summaries" && output.queues["summaries"].dead_letter_name == "staging-candlewick-summaries-dlq"
    error_message = "The consumer has no queue of its name."
  }

  assert {
    condition = aws_s3_bucket_notification.this.eventbridge && jsondecode(aws_cloudwatch_event_rule.consumer["summaries"].event_pattern) == {
      source        = ["aws.s3"]
      "detail-type" = ["Object Created"]
      detail        = { bucket = { name = [output.bucket] }, object = { key = [{ prefix = "transformed/" }] } }
    }
    error_message = "The rule does not match what doctor expects."
  }

  assert {
    condition     = aws_cloudwatch_event_target.consumer["summaries"].arn == output.queues["summaries"].arn && aws_cloudwatch_event_target.consumer["summaries"].rule == "staging-candlewick-summaries"
    error_message = "The rule does not send to the queue."
  }

  assert {
    condition = [for statement in jsondecode(module.queue["summaries"].policy).Statement : statement if statement.Effect == "Allow"] == [{
      Sid       = "RuleSends"
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = "sqs:SendMessage"
      Resource  = output.queues["summaries"].arn
      Condition = {
        ArnEquals    = { "aws:SourceArn" = aws_cloudwatch_event_rule.consumer["summaries"].arn }
        StringEquals = { "aws:SourceAccount" = output.account }
      }
    }]
    error_message = "Something other than the rule may write to the queue."
  }

  assert {
    condition     = !strcontains(module.queue["transformed"].policy, "events.amazonaws.com") && length([for queue in aws_s3_bucket_notification.this.queue : queue]) == 2
    error_message = "The consumer changes the queue of a service."
  }

  assert {
    condition     = alltrue([for alarm in ["dead-letters", "late", "dead-letters-expire"] : aws_cloudwatch_metric_alarm.queue["summaries-${alarm}"].dimensions["QueueName"] != ""])
    error_message = "The consumer's queue has no alarms."
  }

  assert {
    condition     = local.queues["summaries"].max_receive_count == 5 && local.queues["summaries"].retention_seconds == local.topology.consumer_queue.retention_seconds
    error_message = "The queue is not what the consumer says, and otherwise like those of others."
  }

  assert {
    condition     = output.environment["SUMMARIES_QUEUE_URL"] == output.queue_urls["summaries"] && jsondecode(local.own_topology.TOPOLOGY).consumers == { summaries = { of = "transformed/", max_receive_count = 5 } }
    error_message = "The programs do not know the consumer."
  }
}

run "a_consumer_has_a_name_of_its_own" {
  command = plan

  variables {
    consumers = { loader = { of = "transformed/" } }
  }

  expect_failures = [aws_cloudwatch_event_rule.consumer]
}

run "a_consumer_has_a_prefix" {
  command = plan

  variables {
    consumers = { summaries = { of = "transformed" } }
  }

  expect_failures = [aws_cloudwatch_event_rule.consumer]
}

run "only_queues_that_the_bucket_feeds_let_it_write" {
  assert {
    condition     = strcontains(module.queue["raw"].policy, "s3.amazonaws.com") && !strcontains(module.queue["ingest"].policy, "s3.amazonaws.com")
    error_message = "S3 may write to a queue that it does not feed, or not to one that it does."
  }

  assert {
    condition     = alltrue([for queue in values(module.queue) : strcontains(queue.policy, "\"aws:SecureTransport\":\"false\"")])
    error_message = "A queue can be reached without TLS."
  }
}
