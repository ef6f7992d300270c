# A key that rotates, and that the services use which need it.

mock_provider "aws" {
  source = "../../mocks/aws"
}

variables {
  name = "darkroom"
}

run "sns_may_use_it_and_only_the_account_may_do_all" {
  assert {
    condition = { for statement in jsondecode(aws_kms_key.this.policy).Statement : statement.Sid => flatten([statement.Action]) } == {
      Account = ["kms:*"]
      Sns     = ["kms:Decrypt", "kms:GenerateDataKey"]
      Logs    = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom", "kms:ReEncryptTo"]
    }
    error_message = aws_kms_key.this.policy
  }

  assert {
    condition     = aws_kms_key.this.enable_key_rotation && aws_kms_alias.this.name == "alias/darkroom"
    error_message = "it rotates, and has a name"
  }
}

run "a_week_less_a_day" {
  command = plan
  variables {
    deletion_window_days = 6
  }
  expect_failures = [var.deletion_window_days]
}

