variable "project" {
  description = "Google Cloud project, by its id; it exists and has a billing account."
  type        = string
}

variable "location" {
  description = "Region of bucket, image, pipelines and tuning jobs, such as us-central1."
  type        = string
  default     = "us-central1"
}

variable "bucket" {
  description = "Name of the bucket for data and artifacts; null for PROJECT-gemini-sft, which the command line takes unless it is told another."
  type        = string
  default     = null
}

variable "members" {
  description = "Who starts, schedules and watches runs, such as user:ann@example.com or group:team@example.com."
  type        = set(string)

  validation {
    condition     = alltrue([for one in var.members : can(regex("^(user|group|serviceAccount|principal|principalSet):", one))])
    error_message = "Each member is user:, group:, serviceAccount:, principal: or principalSet: with whose it is."
  }
}

variable "webhook_secret" {
  description = "Id of the secret that holds the webhook's address, in this project; null if no experiment tells a webhook."
  type        = string
  default     = null
}

variable "tuning_agent" {
  description = "Whether to give the service agent of tuning jobs the bucket by name. It is there only after the project's first tuning job, and before that this fails."
  type        = bool
  default     = false
}
