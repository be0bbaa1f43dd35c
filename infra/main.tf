locals {
  apis = [
    "aiplatform.googleapis.com",
    "artifactregistry.googleapis.com",
    "cloudbuild.googleapis.com",
    "cloudresourcemanager.googleapis.com",
    "iam.googleapis.com",
    "logging.googleapis.com",
    "secretmanager.googleapis.com",
    "storage.googleapis.com",
  ]

  # What the tasks of a pipeline do: tune, ask models, register and promote them; write logs; be counted against a quota.
  pipeline_roles = [
    "roles/aiplatform.user",
    "roles/logging.logWriter",
    "roles/serviceusage.serviceUsageConsumer",
  ]

  # What somebody does who works with `gemini-sft ... --on vertex`: start runs, look at them, find the bucket.
  member_roles = [
    "roles/aiplatform.user",
    "roles/logging.viewer",
    "roles/serviceusage.serviceUsageConsumer",
    "roles/storage.bucketViewer",
  ]

  member_grants = {
    for pair in setproduct(var.members, local.member_roles) : join(" ", pair) => { member = pair[0], role = pair[1] }
  }
}

resource "google_project_service" "this" {
  for_each = toset(local.apis)

  service            = each.value
  disable_on_destroy = false
}

resource "google_storage_bucket" "this" {
  name                        = coalesce(var.bucket, "${var.project}-gemini-sft")
  location                    = var.location
  public_access_prevention    = "enforced"
  uniform_bucket_level_access = true

  versioning {
    enabled = true
  }

  # What runs leave. Staged experiments and data, and the answers that are kept for the next run, stay.
  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      age            = 90
      matches_prefix = ["pipelines/"]
      with_state     = "LIVE"
    }
  }

  # What was replaced or deleted can be had back for a month.
  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      days_since_noncurrent_time = 30
      with_state                 = "ARCHIVED"
    }
  }

  depends_on = [google_project_service.this]
}

resource "google_artifact_registry_repository" "this" {
  repository_id = "gemini-sft"
  location      = var.location
  format        = "DOCKER"
  description   = "The image that the tasks run in."

  depends_on = [google_project_service.this]
}

resource "google_service_account" "pipeline" {
  account_id   = "gemini-sft-pipeline"
  display_name = "Runs the pipelines of Gemini SFT"

  depends_on = [google_project_service.this]
}

resource "google_project_iam_member" "pipeline" {
  for_each = toset(local.pipeline_roles)

  project = var.project
  role    = each.value
  member  = google_service_account.pipeline.member
}

resource "google_storage_bucket_iam_member" "pipeline" {
  bucket = google_storage_bucket.this.name
  role   = "roles/storage.objectUser"
  member = google_service_account.pipeline.member
}

resource "google_artifact_registry_repository_iam_member" "pipeline" {
  repository = google_artifact_registry_repository.this.name
  location   = google_artifact_registry_repository.this.location
  role       = "roles/artifactregistry.reader"
  member     = google_service_account.pipeline.member
}

resource "google_secret_manager_secret_iam_member" "pipeline" {
  count = var.webhook_secret == null ? 0 : 1

  secret_id = var.webhook_secret
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.pipeline.member

  depends_on = [google_project_service.this]
}

# A tuning job reads the examples, and writes there what `tuning.evaluation` finds. In a project of its own Google gives it
# that by itself; a policy of the organization may have taken it away.
resource "google_storage_bucket_iam_member" "tuning_agent" {
  count = var.tuning_agent ? 1 : 0

  bucket = google_storage_bucket.this.name
  role   = "roles/storage.objectUser"
  member = "serviceAccount:service-${google_storage_bucket.this.project_number}@gcp-sa-vertex-tune.iam.gserviceaccount.com"
}

resource "google_project_iam_member" "members" {
  for_each = local.member_grants

  project = var.project
  role    = each.value.role
  member  = each.value.member

  depends_on = [google_project_service.this]
}

resource "google_storage_bucket_iam_member" "members" {
  for_each = var.members

  bucket = google_storage_bucket.this.name
  role   = "roles/storage.objectUser"
  member = each.value
}

resource "google_artifact_registry_repository_iam_member" "members" {
  for_each = var.members

  repository = google_artifact_registry_repository.this.name
  location   = google_artifact_registry_repository.this.location
  role       = "roles/artifactregistry.writer"
  member     = each.value
}

# Whoever starts a run has it act as the pipeline's account.
resource "google_service_account_iam_member" "members" {
  for_each = var.members

  service_account_id = google_service_account.pipeline.name
  role               = "roles/iam.serviceAccountUser"
  member             = each.value
}
