# The migration task is applied before anything else (docs/deploy.md), together with all that it needs. It has its own file,
# because the runs of one file share their resources.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  image_tag      = "1.2.3"
  watchlist_path = "../watchlist.toml"
}

run "what_migrates_can_be_applied_alone" {
  plan_options {
    target = [module.migrate]
  }

  assert {
    condition     = strcontains(output.migrate_command, "--task-definition candlewick-migrate ")
    error_message = "No output says how to run the task before the rest is applied."
  }

  assert {
    condition     = length(module.network.interfaces) == 5 && length(module.network.nat_gateways) == 1
    error_message = "The task is applied without the endpoints that it pulls its image through."
  }

  assert {
    condition     = contains(aws_ecs_cluster_capacity_providers.this.capacity_providers, "FARGATE")
    error_message = "The task is applied without a cluster that can run it."
  }
}
