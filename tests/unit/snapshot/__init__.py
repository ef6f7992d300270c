"""bottlerocket-snapshot, module by module, in an AWS account in this process."""
