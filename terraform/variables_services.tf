variable "image_tag" {
  description = "The tag of the images to run: a release, or a commit. Tags are immutable, so a tag always means the same image."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$", var.image_tag)) && var.image_tag != "latest"
    error_message = "image_tag is a tag that never moves, such as a version or a commit; latest is not."
  }
}

variable "images" {
  description = "Full image references, by service or consumer and for candlewick, the operator's command, if they are not in this stack's own repositories: registry/name@sha256:…"
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for image in values(var.images) : can(regex("@sha256:[0-9a-f]{64}$", image))])
    error_message = "images are pinned by digest: registry/name@sha256:…"
  }

  validation {
    condition     = length(setsubtract(keys(var.images), concat(local.services, keys(local.consumers), ["candlewick"]))) == 0
    error_message = "images are of candlewick, of the services ${join(", ", local.services)}, and of consumers."
  }
}

variable "cpu_architecture" {
  description = "What the images are built for. ARM64 costs a fifth less."
  type        = string
  default     = "ARM64"

  validation {
    condition     = contains(["ARM64", "X86_64"], var.cpu_architecture)
    error_message = "cpu_architecture is ARM64 or X86_64."
  }
}

variable "spot_weight" {
  description = "Of 100 tasks of the transform and the loader, how many run on Fargate Spot, which costs about a third. Work that is interrupted there is delivered again."
  type        = number
  default     = 100

  validation {
    condition     = var.spot_weight >= 0 && var.spot_weight <= 100 && floor(var.spot_weight) == var.spot_weight
    error_message = "spot_weight is a whole number from 0 to 100."
  }
}

variable "container_insights" {
  description = "The level of Container Insights for the cluster: enhanced, enabled or disabled. It charges by metric; the alarm on missing tasks needs it, scaling does not."
  type        = string
  default     = "enabled"

  validation {
    condition     = contains(["enhanced", "enabled", "disabled"], var.container_insights)
    error_message = "container_insights is enhanced, enabled or disabled."
  }
}

variable "sizes" {
  description = "The size of each service: CPU units (1024 are one vCPU), memory in MiB, the minimum and maximum number of tasks, and how many messages a task processes at once. Omitted values keep the defaults of cluster.tf. If there are zero tasks, a queue's first message starts one."
  type = map(object({
    cpu         = optional(number)
    memory      = optional(number)
    min         = optional(number)
    max         = optional(number)
    concurrency = optional(number)
  }))
  default = {}

  validation {
    condition     = alltrue([for size in values(var.sizes) : coalesce(size.min, 0) >= 0 && coalesce(size.min, 0) <= coalesce(size.max, 1000)])
    error_message = "min is from zero to max."
  }

  validation {
    condition     = alltrue([for size in values(var.sizes) : contains([256, 512, 1024, 2048, 4096, 8192, 16384], coalesce(size.cpu, 256))])
    error_message = "cpu is one of Fargate's sizes: 256, 512, 1024, 2048, 4096, 8192 or 16384."
  }

  validation {
    condition     = alltrue([for service in ["ingest", "notifier"] : coalesce(try(var.sizes[service].max, null), 1) <= 1])
    error_message = "ingest and notifier run at most once: two would spend the same credits, and send the same messages."
  }

  validation {
    condition     = length(setsubtract(keys(var.sizes), local.services)) == 0
    error_message = "sizes are of the services ${join(", ", local.services)}."
  }
}

# The values of these are never in the state (secret_string_wo). A saved plan contains them, as it contains every input: do not save
# plans that set them, or leave them null and set the value with `aws secretsmanager put-secret-value`.
variable "twelvedata_api_key" {
  description = "Your key for the TwelveData API; null leaves the secret's value to you. Raise secrets_version when it changes."
  type        = string
  default     = null
  sensitive   = true
}

variable "dashboard_token" {
  description = "The token that a visitor of the dashboard must present; null leaves the secret's value to you."
  type        = string
  default     = null
  sensitive   = true

  validation {
    condition     = var.dashboard_token == null || try(length(var.dashboard_token) >= 24, false)
    error_message = "dashboard_token has at least 24 characters: openssl rand -hex 24 makes one."
  }
}

variable "dashboard_requests_runs" {
  description = "Whether runs can be requested at the dashboard's API (POST /api/v1/runs). It makes the secret dashboard-write-token, whose value you set with `aws secretsmanager put-secret-value`: at least 16 characters, and not those of dashboard_token."
  type        = bool
  default     = false
}

variable "dashboard_editing" {
  description = "Whether dashboards can be saved in the browser. It creates the secret dashboard-edit-token, whose value you set."
  type        = bool
  default     = false
}

variable "dashboard_frame_ancestors" {
  description = "The sites whose pages may show shared dashboards in a frame, such as https://wiki.example.org."
  type        = list(string)
  default     = []
}

variable "secrets_version" {
  description = "Raise it by one to write the secrets' values again."
  type        = number
  default     = 1
}

variable "twelvedata_plan" {
  description = "Your TwelveData plan, which tells ingest its credits: basic, grow, pro, ultra or enterprise."
  type        = string
  default     = "basic"

  validation {
    condition     = contains(["basic", "grow", "pro", "ultra", "enterprise"], var.twelvedata_plan)
    error_message = "twelvedata_plan is basic, grow, pro, ultra or enterprise."
  }
}

variable "log_filter" {
  description = "What the services log: error, warn, info, debug or trace, or a filter by module."
  type        = string
  default     = "info"
}

variable "dashboard_certificate_arn" {
  description = "The certificate of the dashboard's load balancer. Null creates no load balancer; the dashboard can then be reached only from within the network."
  type        = string
  default     = null
}

variable "dashboard_cidrs" {
  description = "Who may reach the dashboard's load balancer. It is internal unless one of these is not a private network."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for cidr in var.dashboard_cidrs : can(cidrhost(cidr, 0))])
    error_message = "dashboard_cidrs are networks, such as 203.0.113.0/24."
  }
}

variable "dashboard_oidc" {
  description = "The OpenID Connect provider (Google, Okta, Entra ID, Cognito) that admits visitors at the load balancer, before the dashboard asks for its token, and the client that you registered there with the redirect address https://NAME/oauth2/idpresponse. Null uses none."
  type = object({
    issuer                 = string
    authorization_endpoint = string
    token_endpoint         = string
    user_info_endpoint     = string
    client_id              = string
    scope                  = optional(string, "openid")
    session_hours          = optional(number, 12)
  })
  default = null

  validation {
    condition     = var.dashboard_oidc == null || alltrue([for url in [try(var.dashboard_oidc.issuer, ""), try(var.dashboard_oidc.authorization_endpoint, ""), try(var.dashboard_oidc.token_endpoint, ""), try(var.dashboard_oidc.user_info_endpoint, "")] : startswith(url, "https://")])
    error_message = "The addresses of dashboard_oidc begin with https://."
  }

  validation {
    condition     = var.dashboard_oidc == null || (try(var.dashboard_oidc.session_hours >= 1, false) && try(var.dashboard_oidc.session_hours <= 168, false))
    error_message = "dashboard_oidc.session_hours is from 1 to 168."
  }

  validation {
    condition     = var.dashboard_oidc == null || (var.dashboard_certificate_arn != null && nonsensitive(var.dashboard_oidc_client_secret != null))
    error_message = "dashboard_oidc needs a load balancer (dashboard_certificate_arn) and dashboard_oidc_client_secret."
  }
}

# The one secret that is in the state, because the listener has no write-only argument for it.
variable "dashboard_oidc_client_secret" {
  description = "The secret of the client that dashboard_oidc names. It is kept in Terraform's state: keep that where only you can read it."
  type        = string
  default     = null
  sensitive   = true
}
