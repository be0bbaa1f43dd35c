output "bucket" {
  description = "For --bucket, unless it is PROJECT-gemini-sft."
  value       = google_storage_bucket.this.name
}

output "image" {
  description = "For make image IMAGE=..."
  value       = "${var.location}-docker.pkg.dev/${var.project}/${google_artifact_registry_repository.this.repository_id}/gemini-sft-python"
}

output "service_account" {
  description = "For --service-account."
  value       = google_service_account.pipeline.email
}
