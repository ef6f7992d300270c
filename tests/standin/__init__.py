"""A fast in-memory stand-in for SQS, SNS and S3, where LocalStack is too slow: benchmarks and fault campaigns."""
