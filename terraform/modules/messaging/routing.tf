# Which job goes to which queue: the subscriptions' filters on message attributes.

locals {
  priority = {
    any    = {}
    normal = { priority = [{ "anything-but" = ["bulk"] }, { exists = false }] }
    bulk   = { priority = ["bulk"] }
  }

  filters = { for key, queue in local.queues : key => {
    by_runtime = jsonencode(merge({ runtime = [queue.runtime] }, local.priority[queue.bulk ? "bulk" : var.runtimes[queue.runtime].bulk ? "normal" : "any"]))
    # v1alpha1 messages name a checkpoint and no runtime.
    by_checkpoint = queue.bulk ? [] : var.runtimes[queue.runtime].checkpoints
  } }
}

resource "aws_sns_topic_subscription" "this" {
  for_each = aws_sqs_queue.this

  topic_arn = aws_sns_topic.this["jobs"].arn
  protocol  = "sqs"
  endpoint  = each.value.arn

  filter_policy = length(local.filters[each.key].by_checkpoint) == 0 ? local.filters[each.key].by_runtime : jsonencode({
    "$or" = [jsondecode(local.filters[each.key].by_runtime), { sd_model_checkpoint = local.filters[each.key].by_checkpoint }]
  })

  # What cannot be delivered (a key that SNS may not use, say) is kept.
  redrive_policy = jsonencode({ deadLetterTargetArn = aws_sqs_queue.dead_letters[local.queues[each.key].runtime].arn })
}
