output "alarm_names" {
  description = "Names of all alarms."
  value = concat(
    [for alarm in aws_cloudwatch_metric_alarm.age : alarm.alarm_name],
    [for alarm in aws_cloudwatch_metric_alarm.pods : alarm.alarm_name],
    [for alarm in aws_cloudwatch_metric_alarm.failures : alarm.alarm_name],
    [for alarm in aws_cloudwatch_metric_alarm.leases : alarm.alarm_name],
    [for alarm in aws_cloudwatch_metric_alarm.dead_letters : alarm.alarm_name],
    [for alarm in aws_cloudwatch_metric_alarm.functions : alarm.alarm_name],
    [for alarm in aws_cloudwatch_metric_alarm.api : alarm.alarm_name],
  )
}

output "dashboard_name" {
  description = "Name of the overview; null without one."
  value       = try(aws_cloudwatch_dashboard.this[var.name].dashboard_name, null)
}
