# What is refused at plan.

mock_provider "aws" {
  source = "../../mocks/aws"
}

variables {
  name              = "darkroom"
  subnet_ids        = ["subnet-0aaaaaaaaaaaaaaaa", "subnet-0bbbbbbbbbbbbbbbb"]
  admin_arns        = ["arn:aws:iam::123456789012:role/platform"]
  models_bucket_arn = "arn:aws:s3:::darkroom-models"
}

run "a_name_of_25_characters" {
  command = plan
  variables {
    name = "a234567890123456789012345"
  }
  expect_failures = [var.name]
}

run "kubernetes_before_stable_sidecars" {
  command = plan
  variables {
    kubernetes_version = "1.32"
  }
  expect_failures = [var.kubernetes_version]
}

run "a_patch_version" {
  command = plan
  variables {
    kubernetes_version = "1.35.4"
  }
  expect_failures = [var.kubernetes_version]
}

run "one_subnet" {
  command = plan
  variables {
    subnet_ids = ["subnet-0aaaaaaaaaaaaaaaa"]
  }
  expect_failures = [var.subnet_ids]
}

run "a_cluster_that_nobody_can_use" {
  command = plan
  variables {
    admin_arns = []
  }
  expect_failures = [var.admin_arns]
}

run "an_admin_by_the_session_of_a_role" {
  command = plan
  variables {
    admin_arns = ["arn:aws:sts::123456789012:assumed-role/platform/me"]
  }
  expect_failures = [var.admin_arns]
}

run "a_viewer_by_a_name" {
  command = plan
  variables {
    viewer_arns = ["support"]
  }
  expect_failures = [var.viewer_arns]
}

run "a_viewer_who_is_an_admin" {
  command = plan
  variables {
    viewer_arns = ["arn:aws:iam::123456789012:role/platform"]
  }
  expect_failures = [var.viewer_arns]
}

run "an_address_without_its_prefix" {
  command = plan
  variables {
    public_access_cidrs = ["203.0.113.7"]
  }
  expect_failures = [var.public_access_cidrs]
}

run "the_whole_internet" {
  command = plan
  variables {
    public_access_cidrs = ["0.0.0.0/0"]
  }
  expect_failures = [var.public_access_cidrs]
}

run "a_key_by_its_alias" {
  command = plan
  variables {
    secrets_kms_key_arn = "alias/secrets"
  }
  expect_failures = [var.secrets_kms_key_arn]
}

run "a_log_that_eks_does_not_have" {
  command = plan
  variables {
    log_types = ["kubelet"]
  }
  expect_failures = [var.log_types]
}

run "a_retention_that_cloudwatch_does_not_know" {
  command = plan
  variables {
    log_retention_days = 31
  }
  expect_failures = [var.log_retention_days]
}

run "nodes_that_are_not_graviton" {
  command = plan
  variables {
    system_nodes = { instance_types = ["m7i.large"] }
  }
  expect_failures = [var.system_nodes]
}

run "one_node" {
  command = plan
  variables {
    system_nodes = { count = 1 }
  }
  expect_failures = [var.system_nodes]
}

run "a_disk_without_room_for_images" {
  command = plan
  variables {
    system_nodes = { disk_gib = 8 }
  }
  expect_failures = [var.system_nodes]
}

run "an_addon_that_is_not_installed" {
  command = plan
  variables {
    addon_versions = { aws-ebs-csi-driver = "v1.50.1-eksbuild.1" }
  }
  expect_failures = [var.addon_versions]
}

run "a_version_without_its_build" {
  command = plan
  variables {
    addon_versions = { coredns = "1.13.1" }
  }
  expect_failures = [var.addon_versions]
}

run "the_s3_driver_of_before" {
  command = plan
  variables {
    addon_versions = { aws-mountpoint-s3-csi-driver = "v1.15.0-eksbuild.1" }
  }
  expect_failures = [var.addon_versions]
}

run "a_bucket_by_its_name" {
  command = plan
  variables {
    models_bucket_arn = "darkroom-models"
  }
  expect_failures = [var.models_bucket_arn]
}
