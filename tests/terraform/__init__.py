"""Terraform: every module tested by itself, without AWS; how it is written."""
