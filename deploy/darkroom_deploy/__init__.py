"""Builds an installation of Darkroom on AWS, step by step, and takes it down again."""
