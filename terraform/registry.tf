resource "aws_ecr_repository" "this" {
  #checkov:skip=CKV_AWS_136:Images hold no data and no secret; ECR's own encryption does
  for_each = toset(concat(local.services, keys(local.consumers), ["candlewick"]))

  name                 = "${local.name}/${each.key}"
  image_tag_mutability = "IMMUTABLE"
  force_delete         = var.force_destroy

  image_scanning_configuration {
    scan_on_push = true
  }
}

resource "aws_ecr_lifecycle_policy" "this" {
  for_each = aws_ecr_repository.this

  repository = each.value.name
  policy = jsonencode({
    rules = [
      {
        rulePriority = 1
        description  = "Untagged images are deleted after a week"
        selection    = { tagStatus = "untagged", countType = "sinceImagePushed", countUnit = "days", countNumber = 7 }
        action       = { type = "expire" }
      },
      {
        rulePriority = 2
        description  = "Keeps twenty versions for a rollback"
        selection    = { tagStatus = "any", countType = "imageCountMoreThan", countNumber = 20 }
        action       = { type = "expire" }
      },
    ]
  })
}

locals {
  images = { for name, repository in aws_ecr_repository.this :
    name => lookup(var.images, name, "${repository.repository_url}:${var.image_tag}")
  }
}
