"""The Lambdas between users and the queues: the jobs API with its page, and the webhooks."""
