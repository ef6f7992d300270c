# The role of KEDA's operator: it reads how long the runtimes' queues are.

resource "aws_iam_role" "this" {
  name_prefix = "${var.name}-keda-"
  description = "KEDA's operator in the cluster of ${var.name}"
  tags        = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "PodIdentity"
      Effect    = "Allow"
      Principal = { Service = "pods.eks.amazonaws.com" }
      Action    = ["sts:AssumeRole", "sts:TagSession"]
    }]
  })
}

resource "aws_iam_role_policy" "this" {
  name = "queues"
  role = aws_iam_role.this.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "CountJobs"
      Effect   = "Allow"
      Action   = "sqs:GetQueueAttributes"
      Resource = var.queue_arns
    }]
  })
}

resource "aws_eks_pod_identity_association" "this" {
  count = var.pod == null ? 0 : 1

  cluster_name    = var.pod.cluster
  namespace       = var.pod.namespace
  service_account = var.pod.service_account
  role_arn        = aws_iam_role.this.arn
  tags            = var.tags
}
