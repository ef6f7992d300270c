# The dashboards: what they show is in dashboard_overview.tf and dashboard_runtime.tf, how it lies side by side is here.

locals {
  # By name. A section is a heading and panels under it, three a row; panels that have nothing to show are left out.
  dashboards = merge(
    { for name in [var.name] : name => local.overview if var.dashboard },
    { for runtime, sections in local.by_runtime : "${var.name}-${runtime}" => sections if var.runtime_dashboards },
  )

  shown = { for name, sections in local.dashboards : name => [for section in sections : {
    title  = section.title
    panels = [for panel in section.panels : panel if length(try(panel.metrics, panel.alarms)) > 0]
    }]
  }

  filled = { for name, sections in local.shown : name => [for section in sections : section if length(section.panels) > 0] }

  # The row at which each section begins, and at the end the one below the last.
  tops = { for name, sections in local.filled : name => [for index in range(length(sections)) :
  sum(concat([0], [for above in slice(sections, 0, index) : 1 + 6 * ceil(length(above.panels) / 3)]))] }
}

resource "aws_cloudwatch_dashboard" "this" {
  for_each = local.filled

  dashboard_name = each.key
  dashboard_body = jsonencode({
    widgets = flatten([for row, section in each.value : [
      [{
        type       = "text"
        x          = 0
        y          = local.tops[each.key][row]
        width      = 24
        height     = 1
        properties = { markdown = "## ${section.title}" }
      }],
      [for index, panel in section.panels : {
        type   = can(panel.alarms) ? "alarm" : "metric"
        x      = index % 3 * 8
        y      = local.tops[each.key][row] + 1 + floor(index / 3) * 6
        width  = 8
        height = 6
        properties = merge(
          can(panel.alarms) ? {} : { region = data.aws_region.current.id, view = "timeSeries", stat = "Sum", period = 300 },
          panel,
        )
      }],
    ]])
  })
}
