# The rules of the Terraform language alone: those of the AWS provider are a plugin that is downloaded.
plugin "terraform" {
  enabled = true
  preset  = "all"
}

# A file holds a concern here, its variables beside each other: not all of them in one file.
rule "terraform_standard_module_structure" {
  enabled = false
}
