"""The reference of Terraform's root module leaves nothing out, and shows values as they stand in the files."""

import re

from scripts.reference_terraform import TERRAFORM, blocks, terraform

FILE = """
# A comment.
variable "runtimes" {
  description = <<-EOT
    By name; see modules/jobs.
    `type`: "sdwebui" or so (docs/reference/environment.md).
  EOT
  type = map(object({
    type  = string
    nodes = optional(object({ count = number }), {})
  }))
  nullable = false

  # Why.
  validation {
    condition     = true
    error_message = "default = no"
  }
}

output "one" {
  description = "Says \\"one\\"."
  value       = 1
}
"""


def test_values_are_as_they_stand_there() -> None:
    """Over several lines, too; what stands in a nested block is not the variable's."""
    variable, output = blocks(FILE)
    assert variable.attributes["type"] == (
        "map(object({\n    type  = string\n    nodes = optional(object({ count = number }), {})\n  }))"
    )
    assert "default" not in variable.attributes
    assert variable.description == (
        "By name; see [modules/jobs](../../terraform/modules/jobs).\n"
        '`type`: "sdwebui" or so ([environment.md](environment.md)).'
    )
    assert (output.kind, output.name, output.description) == ("output", "one", 'Says "one".')


def test_nothing_is_left_out() -> None:
    """Every variable and output of the root module, under its name."""
    page = terraform("made")
    text = "\n".join(path.read_text() for path in TERRAFORM.glob("*.tf"))
    variables = re.findall(r'^variable "(\w+)"', text, re.MULTILINE)
    outputs = re.findall(r'^output "(\w+)"', text, re.MULTILINE)
    assert sorted(re.findall(r"^### (\w+)", page, re.MULTILINE)) == sorted(variables)
    assert sorted(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)) == sorted(outputs)
    assert len(re.findall(r"^type = ", page, re.MULTILINE)) == len(variables)
