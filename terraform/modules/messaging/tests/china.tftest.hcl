# In China every ARN and the queues' host are China's.

mock_provider "aws" {
  source = "../../mocks/aws-cn"
}

variables {
  name     = "darkroom"
  runtimes = { sdxl = {} }
}

run "policies_and_urls_are_of_their_partition" {
  assert {
    condition     = length(regexall("arn:aws:", join(" ", [aws_sqs_queue.this["sdxl"].policy, aws_sqs_queue.dead_letters["sdxl"].policy, aws_sns_topic.this["jobs"].policy]))) == 0
    error_message = aws_sqs_queue.this["sdxl"].policy
  }

  assert {
    condition     = output.queue_url_prefix == "https://sqs.cn-north-1.amazonaws.com.cn/210987654321/darkroom-"
    error_message = output.queue_url_prefix
  }
}
