output "jobs_topic_arn" {
  description = "ARN of the topic that jobs are published to."
  value       = aws_sns_topic.this["jobs"].arn
}

output "results_topic_arn" {
  description = "ARN of the topic that results are told to."
  value       = aws_sns_topic.this["results"].arn
}

output "topic_names" {
  description = "Names of both topics, for metrics."
  value       = { for key, topic in aws_sns_topic.this : key => topic.name }
}

output "queue_url_prefix" {
  description = "What every queue's URL begins with: a runtime's queue is this and its name, then `-bulk` or `-dlq`."
  value       = "https://sqs.${local.region}.${data.aws_partition.current.dns_suffix}/${local.account_id}/${var.name}-"
}

output "runtimes" {
  description = "Runtime → its queues: URLs, ARNs and names of queue, bulk queue (null without one) and dead-letter queue."
  value = { for name, runtime in var.runtimes : name => {
    queue_url       = aws_sqs_queue.this[name].url
    queue_arn       = aws_sqs_queue.this[name].arn
    queue_name      = aws_sqs_queue.this[name].name
    bulk_queue_name = runtime.bulk ? aws_sqs_queue.this["${name}-bulk"].name : null
    bulk_queue_url  = runtime.bulk ? aws_sqs_queue.this["${name}-bulk"].url : null
    bulk_queue_arn  = runtime.bulk ? aws_sqs_queue.this["${name}-bulk"].arn : null
    dlq_url         = aws_sqs_queue.dead_letters[name].url
    dlq_arn         = aws_sqs_queue.dead_letters[name].arn
    dlq_name        = aws_sqs_queue.dead_letters[name].name
  } }
}

output "queue_arns" {
  description = "Every queue that jobs wait in, without the dead letters'."
  value       = [for queue in aws_sqs_queue.this : queue.arn]
}

output "visibility_seconds" {
  description = "Visibility timeout of the queues, for the agent."
  value       = var.visibility_seconds
}

output "attempts" {
  description = "Attempts that a job has, for the agent."
  value       = var.attempts
}
