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
