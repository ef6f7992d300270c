# What charts/platform takes, and how to get at the cluster.

output "platform_values" {
  description = "Values of charts/platform, YAML: `terraform output -raw platform_values > platform.yaml`."
  value = yamlencode({
    global = {
      clusterName = module.cluster.name
      region      = data.aws_region.current.id
      namespace   = var.platform_namespace
    }
    karpenter = {
      serviceAccount = { name = module.karpenter.service_account }
      settings = {
        clusterName       = module.cluster.name
        clusterEndpoint   = module.cluster.endpoint
        interruptionQueue = module.karpenter.interruption_queue_name
        eksControlPlane   = true
      }
      controller = {
        # The controller cannot ask the instance it runs on: pods are one hop too far from its metadata.
        env = [{ name = "AWS_REGION", value = data.aws_region.current.id }]
      }
    }
  })
}

output "platform_namespace" {
  description = "Namespace into which charts/platform is installed."
  value       = var.platform_namespace
}

output "cluster_name" {
  description = "Name of the cluster: `aws eks update-kubeconfig --name …` brings its access to kubectl."
  value       = module.cluster.name
}

output "node_role_name" {
  description = "Role of the nodes that Karpenter starts."
  value       = module.karpenter.node_role_name
}

output "deployment" {
  description = "What `make deploy` goes on with after the apply: where things are, and the runtimes as `runtimes` names them."
  value = {
    region             = data.aws_region.current.id
    cluster_name       = module.cluster.name
    platform_namespace = var.platform_namespace
    runtimes_namespace = var.runtimes_namespace
    models_bucket      = module.storage.models_bucket
    api_endpoint       = module.api.endpoint
    image_repositories = module.images.repository_urls
    # Known when it is planned, so that quotas can be looked at before anything is there.
    runtimes = { for name, runtime in var.runtimes : name => {
      type           = runtime.type
      instance_types = runtime.nodes.instance_types
      capacity_types = runtime.nodes.capacity_types
      max_replicas   = runtime.max_replicas
    } }
  }
}
