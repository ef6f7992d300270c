"""The tables of values in the charts' READMEs."""

from scripts.reference_charts import table

VALUES = """\
# Of this file.
a:
  # -- What b is: `x|y`.
  b: 1
  # Not for the table.
  c: 2
  d:
    # -- What e is,
    # in two lines.
    e: {f: "g"}
# -- What h is.
h: []
"""


def test_should_have_a_row_for_each_described_value() -> None:
    """Path, default, meaning; a bar does not end a cell."""
    assert table(VALUES).splitlines()[2:] == [
        "| `a.b` | `1` | What b is: `x&#124;y`. |",
        '| `a.d.e` | `{"f": "g"}` | What e is, in two lines. |',
        "| `h` | `[]` | What h is. |",
    ]


def test_should_leave_long_defaults_to_the_file() -> None:
    """A table is for reading."""
    assert "see values.yaml" in table(f"# -- Long.\na: {'x' * 90}\n")
