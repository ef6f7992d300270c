"""Terraform as a whole: the root module's own tests, checkov over everything, and the flow applied to an emulator.

Minutes of processor time, so it is apart from `make test`.
"""
