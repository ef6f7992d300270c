variable "images" {
  description = <<-EOT
    Repositories for images; what is left out takes the default of modules/images, where each is described.
    `pull_through_caches`: prefix → { registry, credential_arn } of registries whose images ECR keeps a copy of.
    `keep_images`: tagged images that each repository keeps; 0 keeps all.
  EOT
  type = object({
    repositories = optional(set(string))
    kms_key_arn  = optional(string)
    keep_images  = optional(number)
    force_delete = optional(bool)
    pull_through_caches = optional(map(object({
      registry       = string
      credential_arn = optional(string)
    })))
  })
  default  = {}
  nullable = false
}
