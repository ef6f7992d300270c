# What the dashboard of one runtime shows: is it healthy, is it waiting, where does the time go, what does it cost.

locals {
  stages = ["queued", "prepare", "wait", "runtime", "collect", "store", "notify", "settle"]
  states = ["completed", "failed", "cancelled", "expired", "retried"]

  by_runtime = { for name, runtime in var.runtimes : name => [
    {
      title = "Is it healthy?"
      panels = [
        {
          title   = "Attempts, by how they ended"
          stacked = true
          metrics = [for state in local.states : ["Darkroom", "darkroom.jobs", "darkroom.runtime", name, "state", state, { label = state }]]
        },
        {
          title   = "Failures, by reason"
          stacked = true
          metrics = [[{ expression = "SEARCH('{Darkroom,darkroom.runtime,error.type} MetricName=\"darkroom.jobs\" darkroom.runtime=\"${name}\"', 'Sum', 300)", id = "reasons" }]]
        },
        {
          title = "Attempts of a job, leases lost"
          metrics = [
            ["Darkroom", "darkroom.job.attempts", "darkroom.runtime", name, { label = "attempts, on average", stat = "Average" }],
            ["Darkroom", "darkroom.job.attempts", "darkroom.runtime", name, { label = "attempts, most", stat = "Maximum" }],
            ["Darkroom", "darkroom.lease.losses", "darkroom.runtime", name, { label = "leases lost" }],
          ]
        },
      ]
    },
    {
      title = "Is it waiting?"
      panels = [
        {
          title  = "Jobs that wait and jobs in work"
          stat   = "Maximum"
          period = 60
          metrics = [for line in [
            { queue = runtime.queue_name, metric = "ApproximateNumberOfMessagesVisible", label = "wait" },
            { queue = runtime.queue_name, metric = "ApproximateNumberOfMessagesNotVisible", label = "in work" },
            { queue = runtime.bulk_queue_name, metric = "ApproximateNumberOfMessagesVisible", label = "bulk, wait" },
            { queue = runtime.bulk_queue_name, metric = "ApproximateNumberOfMessagesNotVisible", label = "bulk, in work" },
          ] : ["AWS/SQS", line.metric, "QueueName", line.queue, { label = line.label }] if line.queue != null]
        },
        {
          title  = "Wait in the queue (seconds)"
          period = 60
          metrics = [
            ["AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", runtime.queue_name, { label = "oldest job now", stat = "Maximum" }],
            ["Darkroom", "darkroom.stage.duration", "darkroom.runtime", name, "stage", "queued", { label = "on average", stat = "Average" }],
            ["Darkroom", "darkroom.stage.duration", "darkroom.runtime", name, "stage", "queued", { label = "longest", stat = "Maximum" }],
          ]
        },
        {
          title  = "Pods, and messages that one holds ready"
          period = 60
          metrics = [
            ["Darkroom", "darkroom.runtime.utilization", "darkroom.runtime", name, { label = "pods", stat = "SampleCount" }],
            ["Darkroom", "darkroom.prefetch.depth", "darkroom.runtime", name, { label = "messages", stat = "Average" }],
          ]
        },
      ]
    },
    {
      title = "Where does the time go?"
      panels = [
        {
          title   = "Stages of a job, on average (seconds)"
          stat    = "Average"
          stacked = true
          metrics = [for stage in local.stages : ["Darkroom", "darkroom.stage.duration", "darkroom.runtime", name, "stage", stage, { label = stage }]]
        },
        {
          title = "A message, from receipt to settlement (seconds)"
          metrics = [
            ["Darkroom", "messaging.process.duration", "darkroom.runtime", name, { label = "on average", stat = "Average" }],
            ["Darkroom", "messaging.process.duration", "darkroom.runtime", name, { label = "longest", stat = "Maximum" }],
          ]
        },
        {
          title = "GPUs busy"
          stat  = "Average"
          metrics = [
            ["Darkroom", "darkroom.runtime.utilization", "darkroom.runtime", name, { label = "share of the time" }],
            ["Darkroom", "DCGM_FI_DEV_GPU_UTIL", "darkroom.runtime", name, { label = "as the GPU says, %", yAxis = "right" }],
          ]
        },
        {
          title = "Bytes in and out"
          metrics = [for direction, label in { receive = "inputs", transmit = "artifacts" } :
          ["Darkroom", "darkroom.network.io", "darkroom.runtime", name, "network.io.direction", direction, { label = label }]]
        },
        {
          title = "Artifacts, model switches, extensions of leases"
          metrics = [for metric in ["darkroom.artifacts", "darkroom.model.switches", "darkroom.lease.extensions"] :
          ["Darkroom", metric, "darkroom.runtime", name, { label = metric }]]
        },
      ]
    },
    {
      title = "What does it cost?"
      panels = [
        {
          title  = "This month (USD)"
          view   = "singleValue"
          period = 86400
          start  = "-P32D"
          end    = "P0D"
          metrics = concat(
            [for index, use in ["busy", "idle"] : ["Darkroom", "darkroom.cost", "darkroom.runtime", name, "use", use, { id = "cost${index}", visible = false }]],
            [for index in range(2) : [{ expression = "FILL(cost${index}, 0)", id = "day${index}", visible = false }]],
            [for index, use in ["busy", "idle"] : [{ expression = format(local.month, index, index, index, index), id = "month${index}", label = use }]],
          )
        },
        {
          title   = "Per hour (USD)"
          period  = 3600
          stacked = true
          metrics = [for use in ["busy", "idle"] : ["Darkroom", "darkroom.cost", "darkroom.runtime", name, "use", use, { label = use }]]
        },
        {
          title  = "Of an image (USD)"
          period = 3600
          metrics = [
            ["Darkroom", "darkroom.cost", "darkroom.runtime", name, { id = "all", visible = false }],
            ["Darkroom", "darkroom.cost", "darkroom.runtime", name, "use", "busy", { id = "busy", visible = false }],
            ["Darkroom", "darkroom.artifacts", "darkroom.runtime", name, { id = "images", visible = false }],
            [{ expression = "all / images", id = "each", label = "all" }],
            [{ expression = "busy / images", id = "work", label = "GPU at work alone" }],
          ]
        },
      ]
    },
  ] }
}
